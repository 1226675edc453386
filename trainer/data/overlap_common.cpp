#include "trainer/data/overlap_common.h"

#include <algorithm>
#include <limits>

#include "tuner/core/error.h"

namespace tune::trainer::data {
namespace {

constexpr std::int64_t kLeftOut = 10, kMost = 30;  // of the nearest

}  // namespace

CommonPart::CommonPart(std::vector<const Plane*> planes) : planes_(std::move(planes)) {
  TUNE_CHECK(planes_.size() >= kFewest);
  const torch::InferenceMode inference;
  const auto count = static_cast<std::int64_t>(planes_.size());
  most_ = std::min(kMost, count / 2);
  for (std::int64_t i = 0; i < count; ++i) {
    const Plane small = reduced(*planes_[static_cast<std::size_t>(i)], 2);
    if (i == 0) standardised_ = torch::empty({count, static_cast<std::int64_t>(small.pixels.size())});
    std::copy(small.pixels.begin(), small.pixels.end(),
              standardised_.data_ptr<float>() + i * standardised_.size(1));
  }
  standardised_ -= standardised_.mean(1, /*keepdim=*/true);
  standardised_ /= standardised_.norm(2, 1, /*keepdim=*/true).clamp_min(1e-6);
}

std::vector<Plane> CommonPart::own_parts(std::size_t begin, std::size_t end) const {
  const torch::InferenceMode inference;
  const auto from = static_cast<std::int64_t>(begin), to = static_cast<std::int64_t>(end);
  torch::Tensor alike = standardised_.slice(0, from, to).mm(standardised_.t());
  for (std::int64_t row = 0; row < to - from; ++row)
    alike[row][from + row] = -std::numeric_limits<float>::infinity();
  const torch::Tensor nearest = std::get<1>(alike.topk(most_, 1)).contiguous();
  std::vector<Plane> parts;
  for (std::size_t plane = begin; plane < end; ++plane)
    parts.push_back(
        own_part(plane, nearest.data_ptr<std::int64_t>() + static_cast<std::int64_t>(plane - begin) * most_));
  return parts;
}

Plane CommonPart::own_part(std::size_t plane, const std::int64_t* nearest) const {
  Plane own = *planes_[plane];
  std::vector<float> common(own.pixels.size(), 0.0F);
  for (std::int64_t n = kLeftOut; n < most_; ++n) {
    const std::vector<float>& other = planes_[static_cast<std::size_t>(nearest[n])]->pixels;
    for (std::size_t i = 0; i < common.size(); ++i) common[i] += other[i];
  }
  double product = 0, square = 0;
  for (std::size_t i = 0; i < common.size(); ++i) {
    product += static_cast<double>(own.pixels[i]) * static_cast<double>(common[i]);
    square += static_cast<double>(common[i]) * static_cast<double>(common[i]);
  }
  const auto factor = static_cast<float>(square > 0 ? product / square : 0);
  for (std::size_t i = 0; i < common.size(); ++i) own.pixels[i] -= factor * common[i];
  return own;
}

}  // namespace tune::trainer::data
