#include "trainer/data/augment.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tune::trainer::data {

namespace {

constexpr int kCropTrials = 10;
constexpr double kMostElongated = 4.0 / 3.0;  // sides of a crop to each other

double between(double low, double high, Rng& rng) { return low + (high - low) * rng.uniform(); }

// The part of a crop that is free: position and shape for a share of the area of at least `min_area`.
View draw_crop(View view, double min_area, int size, Rng& rng) {
  const double area = between(min_area, 1, rng);
  const double ratio = std::exp(between(-1, 1, rng) * std::log(kMostElongated));
  view.width = std::min(1.0, std::sqrt(area * ratio)) * size;
  view.height = std::min(static_cast<double>(size), area * size * size / view.width);
  view.x = between(0, size - view.width, rng);
  view.y = between(0, size - view.height, rng);
  return view;
}

// Brightness and contrast as one table: a factor on the distance from the mean, then a factor on all.
std::array<std::uint8_t, 256> tone_table(const View& view, double mean) {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t v = 0; v < table.size(); ++v) {
    const double toned = ((static_cast<double>(v) - mean) * view.contrast + mean) * view.gain;
    table[v] = static_cast<std::uint8_t>(std::clamp(toned + 0.5, 0.0, 255.0));
  }
  return table;
}

// Where an output row or column samples the source: between `first` and `second`, `weight` / 256 of the
// second.
struct Sample {
  int first = 0, second = 0, weight = 0;
};

std::vector<Sample> samples(double start, double length, bool reversed, int size) {
  std::vector<Sample> result(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i) {
    const double source = start + (i + 0.5) * length / size - 0.5;
    Sample& sample = result[static_cast<std::size_t>(reversed ? size - 1 - i : i)];
    const double inside = std::clamp(source, 0.0, static_cast<double>(size - 1));
    sample.first = static_cast<int>(inside);
    sample.second = std::min(sample.first + 1, size - 1);
    sample.weight = static_cast<int>((inside - sample.first) * 256 + 0.5);
  }
  return result;
}

template <int kChannels>
void sample_pixels(const std::vector<Sample>& rows, const std::vector<Sample>& columns,
                   const std::uint8_t* source, const std::array<std::uint8_t, 256>& tone, std::uint8_t* to) {
  const std::size_t stride = columns.size() * kChannels;
  for (const Sample& row : rows) {
    const std::uint8_t* upper = source + static_cast<std::size_t>(row.first) * stride;
    const std::uint8_t* lower = source + static_cast<std::size_t>(row.second) * stride;
    for (const Sample& column : columns) {
      const int a = column.first * kChannels, b = column.second * kChannels;
      for (int c = 0; c < kChannels; ++c) {
        const int above = upper[a + c] * (256 - column.weight) + upper[b + c] * column.weight;
        const int below = lower[a + c] * (256 - column.weight) + lower[b + c] * column.weight;
        const int value = (above * (256 - row.weight) + below * row.weight + (1 << 15)) >> 16;
        to[c] = tone[static_cast<std::size_t>(value)];
      }
      if constexpr (kChannels == 1) to[1] = to[2] = to[0];
      to += 3;
    }
  }
}

}  // namespace

View draw_view(const Augmentation& augmentation, int size, Rng& rng,
               const std::function<bool(const View&)>& keeps) {
  View whole{0, 0, static_cast<double>(size), static_cast<double>(size), false, false, 1, 1};
  whole.mirrored = rng.uniform() < augmentation.horizontal_flip;
  whole.upside_down = rng.uniform() < augmentation.vertical_flip;
  whole.gain = between(1 - augmentation.brightness, 1 + augmentation.brightness, rng);
  whole.contrast = between(1 - augmentation.contrast, 1 + augmentation.contrast, rng);
  const double choice = rng.uniform();
  if (choice >= augmentation.zoom_crop) return whole;
  for (int trial = 0; trial < kCropTrials; ++trial) {
    const View crop = draw_crop(whole, augmentation.min_crop_area, size, rng);
    if (!keeps || keeps(crop)) return crop;
  }
  return whole;
}

void view_pixels(const View& view, std::span<const std::uint8_t> source, int channels, int size,
                 std::uint8_t* to) {
  // One mean for all channels, so that contrast does not shift the hue.
  const auto sum = static_cast<double>(std::accumulate(source.begin(), source.end(), std::uint64_t{0}));
  const std::array<std::uint8_t, 256> tone = tone_table(view, sum / static_cast<double>(source.size()));
  const std::vector<Sample> rows = samples(view.y, view.height, view.upside_down, size);
  const std::vector<Sample> columns = samples(view.x, view.width, view.mirrored, size);
  if (channels == 1)
    sample_pixels<1>(rows, columns, source.data(), tone, to);
  else
    sample_pixels<3>(rows, columns, source.data(), tone, to);
}

}  // namespace tune::trainer::data
