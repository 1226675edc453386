#include "trainer/tasks/image_classification/data/crop_sampling.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace tune::trainer::image_classification {
namespace {

constexpr int kOne = 256;  // a weight of 1

// Output i is the sum of `count` inputs from `first` on, weighted.
struct Taps {
  int first = 0, count = 0;
  std::size_t weights = 0;  // index of the first weight
};

struct Filter {
  std::vector<Taps> taps;
  std::vector<std::uint16_t> weights;  // of each output they add up to kOne
  int first = 0, last = 0;             // the inputs that are looked at, half-open
};

// Rounded weights whose sum is kOne: the largest takes what rounding leaves.
void add_rounded(const std::vector<double>& exact, double sum, std::vector<std::uint16_t>& weights) {
  const std::size_t begin = weights.size();
  int left = kOne;
  for (const double weight : exact) {
    weights.push_back(static_cast<std::uint16_t>(weight / sum * kOne + 0.5));
    left -= weights.back();
  }
  const auto largest = std::max_element(weights.begin() + static_cast<std::ptrdiff_t>(begin), weights.end());
  *largest = static_cast<std::uint16_t>(*largest + left);
}

// `length` inputs from `start` on become `to` outputs; there are `inputs` of them.
Filter filter_of(double start, double length, int inputs, int to, bool reversed) {
  const double scale = length / to, width = std::max(scale, 1.0);
  Filter filter;
  filter.first = inputs;
  filter.taps.resize(static_cast<std::size_t>(to));
  std::vector<double> exact;
  for (int i = 0; i < to; ++i) {
    const double centre = std::clamp(start + (i + 0.5) * scale, 0.5, inputs - 0.5);
    const int first = std::max(static_cast<int>(centre - width + 0.5), 0);
    const int last = std::min(static_cast<int>(centre + width + 0.5), inputs);
    exact.clear();
    double sum = 0;
    for (int j = first; j < last; ++j) {
      exact.push_back(std::max(0.0, 1.0 - std::abs(j + 0.5 - centre) / width));
      sum += exact.back();
    }
    filter.taps[static_cast<std::size_t>(reversed ? to - 1 - i : i)] = {first, last - first,
                                                                        filter.weights.size()};
    add_rounded(exact, sum, filter.weights);
    filter.first = std::min(filter.first, first);
    filter.last = std::max(filter.last, last);
  }
  return filter;
}

// One row of the output's height and the source's width; sums stay below 2^16.
void blend_rows(const images::Image& source, const Filter& rows, const Taps& taps, std::size_t from,
                std::vector<std::uint16_t>& sums, std::vector<std::uint8_t>& row) {
  const std::size_t count = row.size();
  std::fill(sums.begin(), sums.end(), std::uint16_t{kOne / 2});
  for (int k = 0; k < taps.count; ++k) {
    const std::uint8_t* pixels = source.row(taps.first + k) + from;
    const std::uint16_t weight = rows.weights[taps.weights + static_cast<std::size_t>(k)];
    std::uint16_t* sum = sums.data();
    for (std::size_t x = 0; x < count; ++x) sum[x] = static_cast<std::uint16_t>(sum[x] + pixels[x] * weight);
  }
  for (std::size_t x = 0; x < count; ++x) row[x] = static_cast<std::uint8_t>(sums[x] >> 8);
}

template <int kChannels>
std::uint8_t* blend_columns(const Filter& columns, const std::uint8_t* row, std::uint8_t* to) {
  for (const Taps& taps : columns.taps) {
    const std::uint8_t* pixel = row + (taps.first - columns.first) * kChannels;
    const std::uint16_t* weights = columns.weights.data() + taps.weights;
    std::array<int, kChannels> sums;
    sums.fill(kOne / 2);
    for (int k = 0; k < taps.count; ++k)
      for (int c = 0; c < kChannels; ++c)
        sums[static_cast<std::size_t>(c)] += pixel[k * kChannels + c] * weights[k];
    for (std::size_t c = 0; c < 3; ++c)
      to[c] = static_cast<std::uint8_t>(sums[std::min(c, std::size_t{kChannels - 1})] >> 8);
    to += 3;
  }
  return to;
}

void sample_straight(const Crop& crop, const images::Image& source, int size, std::uint8_t* to) {
  const Filter rows = filter_of(crop.y, crop.height, source.height, size, crop.upside_down),
               columns = filter_of(crop.x, crop.width, source.width, size, crop.mirrored);
  const auto channels = static_cast<std::size_t>(source.channels);
  const std::size_t from = static_cast<std::size_t>(columns.first) * channels,
                    bytes = static_cast<std::size_t>(columns.last - columns.first) * channels;
  std::vector<std::uint16_t> sums(bytes);
  std::vector<std::uint8_t> row(bytes);
  for (const Taps& taps : rows.taps) {
    blend_rows(source, rows, taps, from, sums, row);
    to =
        channels == 1 ? blend_columns<1>(columns, row.data(), to) : blend_columns<3>(columns, row.data(), to);
  }
}

// An index of a picture that goes on mirrored beyond its edges.
std::int64_t mirrored(std::int64_t index, std::int64_t count) {
  if (index >= 0 && index < count) return index;
  const std::int64_t period = 2 * count;
  index %= period;
  if (index < 0) index += period;
  return index < count ? index : period - 1 - index;
}

// Positions in the source have 16 fractional bits, of which the upper 8 are the weight.
constexpr int kPositionBits = 16;
std::int64_t fixed(double position) {
  return static_cast<std::int64_t>(std::floor(position * (1 << kPositionBits) + 0.5));
}
std::int64_t pixel_of(std::int64_t position) { return position >> kPositionBits; }
int weight_of(std::int64_t position) { return static_cast<int>(position >> (kPositionBits - 8) & 0xff); }

template <int kChannels>
void sample_bent(const Crop& crop, const images::Image& source, int size, std::uint8_t* to) {
  const double across = crop.mirrored ? -crop.width : crop.width,
               down = crop.upside_down ? -crop.height : crop.height;
  const double middle_x = crop.x + crop.width / 2 - 0.5, middle_y = crop.y + crop.height / 2 - 0.5;
  const Bend& bend = crop.bend;
  const std::int64_t step_x = fixed(across * bend.a / size), step_y = fixed(down * bend.d / size);
  for (int row = 0; row < size; ++row) {
    const double u = 0.5 / size - 0.5, v = (row + 0.5) / size - 0.5;
    std::int64_t x = fixed(middle_x + across * (bend.a * u + bend.b * v + bend.c)),
                 y = fixed(middle_y + down * (bend.d * u + bend.e * v + bend.f));
    for (int column = 0; column < size; ++column, to += 3, x += step_x, y += step_y) {
      const std::int64_t left = mirrored(pixel_of(x), source.width) * kChannels,
                         right = mirrored(pixel_of(x) + 1, source.width) * kChannels;
      const std::uint8_t* upper = source.row(static_cast<int>(mirrored(pixel_of(y), source.height)));
      const std::uint8_t* lower = source.row(static_cast<int>(mirrored(pixel_of(y) + 1, source.height)));
      const int weight_x = weight_of(x), weight_y = weight_of(y);
      for (int c = 0; c < kChannels; ++c) {
        const int above = upper[left + c] * (kOne - weight_x) + upper[right + c] * weight_x;
        const int below = lower[left + c] * (kOne - weight_x) + lower[right + c] * weight_x;
        to[c] = static_cast<std::uint8_t>((above * (kOne - weight_y) + below * weight_y + (1 << 15)) >> 16);
      }
      if constexpr (kChannels == 1) to[1] = to[2] = to[0];
    }
  }
}

}  // namespace

Bend composed(const Bend& outer, const Bend& inner) {
  return {outer.a * inner.a + outer.b * inner.d,           outer.a * inner.b + outer.b * inner.e,
          outer.a * inner.c + outer.b * inner.f + outer.c, outer.d * inner.a + outer.e * inner.d,
          outer.d * inner.b + outer.e * inner.e,           outer.d * inner.c + outer.e * inner.f + outer.f};
}

Bend turned_by(double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  return {std::cos(angle), -std::sin(angle), 0, std::sin(angle), std::cos(angle), 0};
}

void sample_crop(const Crop& crop, const images::Image& source, int size, std::uint8_t* to) {
  if (crop.bend == Bend{})
    sample_straight(crop, source, size, to);
  else if (source.channels == 1)
    sample_bent<1>(crop, source, size, to);
  else
    sample_bent<3>(crop, source, size, to);
}

}  // namespace tune::trainer::image_classification
