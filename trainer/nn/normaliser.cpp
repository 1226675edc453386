#include "trainer/nn/normaliser.h"

namespace tune::trainer::nn {

Normaliser::Normaliser(const std::array<double, 3>& mean, const std::array<double, 3>& deviation,
                       const torch::Device& device) {
  std::array<float, 3> shift{}, scale{};
  for (std::size_t i = 0; i < 3; ++i) {
    shift[i] = static_cast<float>(255 * mean[i]);
    scale[i] = static_cast<float>(1 / (255 * deviation[i]));
  }
  const auto on_device = [&](std::array<float, 3>& values) {
    return torch::from_blob(values.data(), {1, 3, 1, 1}).clone().to(device);
  };
  mean_ = on_device(shift);
  scale_ = on_device(scale);
}

torch::Tensor Normaliser::operator()(const torch::Tensor& pixels) const {
  const torch::Tensor images =
      pixels.to(mean_.device(), /*non_blocking=*/true).permute({0, 3, 1, 2}).to(torch::kFloat);
  return images.sub_(mean_).mul_(scale_);
}

}  // namespace tune::trainer::nn
