#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/images/image.h"

namespace tune::trainer::images {

namespace {

// Pillow's Resample.c: 32 bits, less 8 of the pixel, less 2 of head room for filters that overshoot.
constexpr int kFractionBits = 32 - 8 - 2;

// Output i is the sum of `count` inputs from `first` on, weighted.
struct Taps {
  int first = 0, count = 0;
  std::size_t weights = 0;  // index of the first weight
};

struct Filter {
  std::vector<Taps> taps;
  std::vector<int> weights;
};

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

Filter filter_of(int from, int to, Interpolation interpolation) {
  const bool is_cubic = interpolation == Interpolation::kBicubic;
  const double scale = static_cast<double>(from) / to;
  const double width = std::max(scale, 1.0);  // widened when shrinking: that is the antialiasing
  const double support = width * (is_cubic ? 2 : 1);
  Filter filter;
  for (int i = 0; i < to; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5), from);
    std::vector<double> exact;
    double sum = 0;
    for (int j = first; j < last; ++j) {
      const double distance = (j - center + 0.5) * (1.0 / width);
      exact.push_back(is_cubic ? cubic(distance) : triangle(distance));
      sum += exact.back();
    }
    filter.taps.push_back({first, last - first, filter.weights.size()});
    for (const double weight : exact)
      filter.weights.push_back(
          static_cast<int>(std::copysign(0.5, weight) + weight / sum * (1 << kFractionBits)));
  }
  return filter;
}

std::uint8_t round_to_byte(int sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

template <std::size_t kChannels>
void resize_row(const Filter& filter, const std::uint8_t* from, std::uint8_t* to) {
  for (const Taps& taps : filter.taps) {
    std::array<int, kChannels> sums;
    sums.fill(1 << (kFractionBits - 1));
    const std::uint8_t* pixel = from + static_cast<std::size_t>(taps.first) * kChannels;
    const int* weight = filter.weights.data() + taps.weights;
    for (int k = 0; k < taps.count; ++k, pixel += kChannels)
      for (std::size_t c = 0; c < kChannels; ++c) sums[c] += pixel[c] * weight[k];
    for (const int sum : sums) *to++ = round_to_byte(sum);
  }
}

Image resize_width(const Image& image, int width, Interpolation interpolation) {
  const Filter filter = filter_of(image.width, width, interpolation);
  Image result{width, image.height, image.channels, {}};
  result.pixels.resize(result.row_bytes() * static_cast<std::size_t>(result.height));
  for (int y = 0; y < image.height; ++y)
    if (image.channels == 3)
      resize_row<3>(filter, image.row(y), result.row(y));
    else
      resize_row<1>(filter, image.row(y), result.row(y));
  return result;
}

Image resize_height(const Image& image, int height, Interpolation interpolation) {
  const Filter filter = filter_of(image.height, height, interpolation);
  Image result{image.width, height, image.channels, {}};
  result.pixels.resize(result.row_bytes() * static_cast<std::size_t>(height));
  std::vector<int> sums(image.row_bytes());
  for (int y = 0; y < height; ++y) {
    const Taps& taps = filter.taps[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), 1 << (kFractionBits - 1));
    for (int k = 0; k < taps.count; ++k) {
      const std::uint8_t* from = image.row(taps.first + k);
      const int weight = filter.weights[taps.weights + static_cast<std::size_t>(k)];
      for (std::size_t x = 0; x < sums.size(); ++x) sums[x] += from[x] * weight;
    }
    std::transform(sums.begin(), sums.end(), result.row(y), round_to_byte);
  }
  return result;
}

}  // namespace

Image resize(const Image& image, Size size, Interpolation interpolation) {
  if (image.width == size.width && image.height == size.height) return image;
  if (image.width == size.width) return resize_height(image, size.height, interpolation);
  Image narrowed = resize_width(image, size.width, interpolation);
  return image.height == size.height ? narrowed : resize_height(narrowed, size.height, interpolation);
}

}  // namespace tune::trainer::images
