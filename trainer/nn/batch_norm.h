#pragma once
// Batch normalisation, of a process's own part of a batch or of the whole one.
#include <memory>
#include <vector>

#include "trainer/parallel/team.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// LibTorch's, under its names, which can normalise by the mean and the variance of all examples of a batch
// that processes share. Their passes through it then wait for one another, forward and backward.
class BatchNorm2dImpl : public torch::nn::BatchNorm2dImpl {
 public:
  explicit BatchNorm2dImpl(const torch::nn::BatchNorm2dOptions& norm) : torch::nn::BatchNorm2dImpl(norm) {}
  torch::Tensor forward(const torch::Tensor& x);
  void share_statistics(std::shared_ptr<const parallel::Team> team) { team_ = std::move(team); }

 private:
  std::shared_ptr<const parallel::Team> team_;  // nullptr: each process has its own
};
TORCH_MODULE(BatchNorm2d);

// All of a model, which has no other kind.
std::vector<BatchNorm2dImpl*> batch_norms(torch::nn::Module& module);

}  // namespace tune::trainer::nn
