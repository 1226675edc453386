#include <algorithm>
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

Filter triangle_filter(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double support = std::max(scale, 1.0);  // widened when shrinking: that is the antialiasing
  Filter filter;
  for (int i = 0; i < to; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5), from);
    std::vector<double> exact;
    double sum = 0;
    for (int j = first; j < last; ++j) {
      exact.push_back(std::max(0.0, 1.0 - std::abs((j - center + 0.5) * (1.0 / support))));
      sum += exact.back();
    }
    filter.taps.push_back({first, last - first, filter.weights.size()});
    for (const double weight : exact)
      filter.weights.push_back(static_cast<int>(0.5 + weight / sum * (1 << kFractionBits)));
  }
  return filter;
}

std::uint8_t round_to_byte(int sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

Image resize_width(const Image& image, int width) {
  const Filter filter = triangle_filter(image.width, width);
  Image result{width, image.height, image.channels, {}};
  result.pixels.resize(result.row_bytes() * static_cast<std::size_t>(result.height));
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* from = image.row(y);
    std::uint8_t* to = result.row(y);
    for (const Taps& taps : filter.taps)
      for (int c = 0; c < image.channels; ++c) {
        int sum = 1 << (kFractionBits - 1);
        for (int k = 0; k < taps.count; ++k)
          sum += from[(taps.first + k) * image.channels + c] *
                 filter.weights[taps.weights + static_cast<std::size_t>(k)];
        *to++ = round_to_byte(sum);
      }
  }
  return result;
}

Image resize_height(const Image& image, int height) {
  const Filter filter = triangle_filter(image.height, height);
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

Image resize(const Image& image, Size size) {
  if (image.width == size.width && image.height == size.height) return image;
  if (image.width == size.width) return resize_height(image, size.height);
  Image narrowed = resize_width(image, size.width);
  return image.height == size.height ? narrowed : resize_height(narrowed, size.height);
}

}  // namespace tune::trainer::images
