#include "trainer/nn/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tune::trainer::nn {
namespace {

// The frequencies of Llama 3.1: wavelengths that are short beside the texts of the first training stay, long
// ones are stretched by `factor`, and between the two they pass from one to the other.
torch::Tensor llama3(const Rotary& rotary, const torch::Tensor& plain) {
  const torch::Tensor wavelengths = 2 * std::numbers::pi / plain;
  const double longest = rotary.original_positions / rotary.low_factor,
               shortest = rotary.original_positions / rotary.high_factor;
  const torch::Tensor smooth = (rotary.original_positions / wavelengths - rotary.low_factor) /
                               (rotary.high_factor - rotary.low_factor);
  const torch::Tensor between = (1 - smooth) * plain / rotary.factor + smooth * plain;
  const torch::Tensor stretched = torch::where(wavelengths > longest, plain / rotary.factor, plain);
  return torch::where((wavelengths >= shortest).logical_and(wavelengths <= longest), between, stretched);
}

torch::Tensor yarn(const Rotary& rotary, const torch::Tensor& plain, std::int64_t width) {
  const auto dimension_of = [&](double rotations) {
    return static_cast<double>(width) *
           std::log(rotary.original_positions / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(rotary.theta));
  };
  double low = dimension_of(rotary.fast_rotations), high = dimension_of(rotary.slow_rotations);
  if (rotary.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(width - 1));
  if (low == high) high += 0.001;
  const torch::Tensor ramp = ((torch::arange(width / 2, torch::kFloat) - low) / (high - low)).clamp(0, 1);
  return plain / rotary.factor * ramp + plain * (1 - ramp);
}

}  // namespace

torch::Tensor rotary_frequencies(const Rotary& rotary, std::int64_t head_width) {
  const torch::Tensor exponents =
      torch::arange(0, head_width, 2, torch::kLong).to(torch::kFloat) / static_cast<double>(head_width);
  const torch::Tensor plain = 1.0 / torch::pow(rotary.theta, exponents);
  switch (rotary.kind) {
    case RotaryKind::kPlain:
      return plain;
    case RotaryKind::kLinear:
      return plain / rotary.factor;
    case RotaryKind::kLlama3:
      return llama3(rotary, plain);
    case RotaryKind::kYarn:
      return yarn(rotary, plain, head_width);
  }
  TORCH_CHECK(false, "a known kind of rotary embedding");
}

Rotation rotation_at(const torch::Tensor& positions, const torch::Tensor& frequencies, double magnitude,
                     at::ScalarType dtype) {
  const torch::Tensor angles = positions.to(torch::kFloat).unsqueeze(-1) * frequencies;
  const torch::Tensor both = torch::cat({angles, angles}, -1).unsqueeze(1);
  return {(both.cos() * magnitude).to(dtype), (both.sin() * magnitude).to(dtype)};
}

torch::Tensor rotated(const torch::Tensor& x, const Rotation& rotation) {
  const auto halves = x.chunk(2, -1);
  return x * rotation.cosines + torch::cat({-halves[1], halves[0]}, -1) * rotation.sines;
}

}  // namespace tune::trainer::nn
