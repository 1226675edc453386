#include "trainer/tasks/image_classification/inference.h"

#include <algorithm>
#include <numeric>

#include "trainer/nn/normaliser.h"
#include "trainer/tasks/classification/answers.h"

namespace tune::trainer::image_classification {

std::optional<std::vector<double>> probabilities_of(const LoadedClassifier& classifier,
                                                    const ImageBatches& images, const loop::Compute& compute,
                                                    std::int64_t batch,
                                                    const std::function<bool()>& interrupted) {
  const torch::NoGradGuard no_grad;
  const data::Preprocessing& form = classifier.preprocessing;
  const nn::Normaliser normalise(form.mean, form.std, compute.device);
  std::vector<double> probabilities;
  for (std::int64_t first = 0; first < images.count(); first += batch) {
    if (interrupted()) return std::nullopt;
    std::vector<std::int64_t> examples(static_cast<std::size_t>(std::min(batch, images.count() - first)));
    std::iota(examples.begin(), examples.end(), first);
    const torch::Tensor pixels = torch::empty(
        {static_cast<std::int64_t>(examples.size()), images.size(), images.size(), 3}, torch::kByte);
    images.fill(examples, /*epoch=*/0, pixels.data_ptr<std::uint8_t>(), compute.threads);
    const std::vector<double> some = classification::probabilities_of(
        classifier.network->forward(normalise(pixels)), classifier.multi_label);
    probabilities.insert(probabilities.end(), some.begin(), some.end());
  }
  return probabilities;
}

}  // namespace tune::trainer::image_classification
