#include "trainer/tasks/detection/shared_counts.h"

namespace tune::trainer::detection {

std::vector<torch::Tensor> shared_counts(std::vector<torch::Tensor> own, std::int64_t images,
                                         const parallel::Team& team) {
  own.push_back(torch::full({}, images, own.front().options()));
  const torch::Tensor counts = torch::stack(own).to(torch::kDouble);
  team.add(counts);
  std::vector<torch::Tensor> all = counts.to(torch::kFloat).unbind();
  all.back() = all.back() / static_cast<double>(images);
  return all;
}

}  // namespace tune::trainer::detection
