#include "trainer/tasks/image_classification/mixing.h"

#include <algorithm>
#include <cmath>

namespace tune::trainer::image_classification {
namespace {

// Gamma(shape, 1) by Marsaglia & Tsang, "A simple method for generating gamma variables" (ACM TOMS 26, 2000);
// below 1 by their section 6.
double draw_gamma(double shape, Rng& rng) {
  if (shape < 1) return draw_gamma(shape + 1, rng) * std::pow(1 - rng.uniform(), 1 / shape);
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = rng.normal(), v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(1 - rng.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

// The neighbour of each row: the one before it, and of the first the last.
torch::Tensor neighbours(const torch::Tensor& rows) { return rows.roll(1, 0); }

// Pastes into each image a rectangle of its neighbour. Returns the share of the pixels that stay.
double paste(torch::Tensor& pixels, double share, Rng& rng) {
  const auto height = static_cast<double>(pixels.size(1)), width = static_cast<double>(pixels.size(2));
  const double half = 0.5 * std::sqrt(1 - share), x = rng.uniform(0, width), y = rng.uniform(0, height);
  const auto within = [](double place, double most) {
    return static_cast<std::int64_t>(std::clamp(place, 0.0, most));
  };
  const std::int64_t left = within(x - half * width, width), right = within(x + half * width, width),
                     top = within(y - half * height, height), bottom = within(y + half * height, height);
  const torch::Tensor other = neighbours(pixels);
  pixels.slice(1, top, bottom).slice(2, left, right).copy_(other.slice(1, top, bottom).slice(2, left, right));
  return 1 - static_cast<double>((right - left) * (bottom - top)) / (width * height);
}

}  // namespace

double draw_share(double alpha, Rng& rng) {
  const double one = draw_gamma(alpha, rng), other = draw_gamma(alpha, rng);
  return one + other > 0 ? one / (one + other) : 0.5;
}

void mix(const Mixing& mixing, Rng& rng, weights::TensorMap& tensors) {
  const bool both = mixing.mixup_alpha > 0 && mixing.cutmix_alpha > 0;
  const bool cuts = both ? rng.uniform() < 0.5 : mixing.cutmix_alpha > 0;
  double share = draw_share(cuts ? mixing.cutmix_alpha : mixing.mixup_alpha, rng);
  if (cuts) share = paste(tensors.at(kPixels), share, rng);
  for (const char* name : {classification::kTargets, classification::kCounts}) {
    torch::Tensor& values = tensors.at(name);
    values = values * share + neighbours(values) * (1 - share);
  }
  if (mixing.mixup_alpha > 0) tensors[kShare] = torch::tensor(cuts ? 1.0 : share, torch::kFloat);
}

torch::Tensor mixed(const torch::Tensor& images, const weights::TensorMap& tensors) {
  const auto share = tensors.find(kShare);
  if (share == tensors.end()) return images;
  return (images * share->second + neighbours(images) * (1 - share->second))
      .contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace tune::trainer::image_classification
