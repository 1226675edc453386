#include "trainer/data/augment.h"

#include <algorithm>
#include <cmath>

namespace tune::trainer::data {

namespace {

constexpr int kCropTrials = 10;
constexpr double kMostElongated = 4.0 / 3.0;  // sides of a crop to each other

// The part of a crop that is free: position and shape for a share of the area of at least `min_area`.
View draw_crop(View view, double min_area, images::Size source, Rng& rng) {
  const double across = source.width, down = source.height;
  const double area = rng.uniform(min_area, 1);
  const double ratio = std::exp(rng.uniform(-1, 1) * std::log(kMostElongated));
  view.width = std::min(1.0, std::sqrt(area * ratio)) * across;
  view.height = std::min(down, area * across * down / view.width);
  view.x = rng.uniform(0, across - view.width);
  view.y = rng.uniform(0, down - view.height);
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

std::vector<Sample> samples(double start, double length, bool reversed, int shown, int size) {
  std::vector<Sample> result(static_cast<std::size_t>(size));
  for (int i = 0; i < shown; ++i) {
    const double source = start + (i + 0.5) * length / shown - 0.5;
    Sample& sample = result[static_cast<std::size_t>(reversed ? shown - 1 - i : i)];
    const double inside = std::clamp(source, 0.0, static_cast<double>(shown - 1));
    sample.first = static_cast<int>(inside);
    sample.second = std::min(sample.first + 1, shown - 1);
    sample.weight = static_cast<int>((inside - sample.first) * 256 + 0.5);
  }
  std::fill(result.begin() + shown, result.end(), result[static_cast<std::size_t>(shown - 1)]);
  return result;
}

template <int kChannels>
void sample_pixels(const Sampling& sampling, const std::uint8_t* source, std::uint8_t* to) {
  const std::size_t stride = sampling.columns.size() * kChannels;
  for (const Sample& row : sampling.rows) {
    const std::uint8_t* upper = source + static_cast<std::size_t>(row.first) * stride;
    const std::uint8_t* lower = source + static_cast<std::size_t>(row.second) * stride;
    for (const Sample& column : sampling.columns) {
      const int a = column.first * kChannels, b = column.second * kChannels;
      for (int c = 0; c < kChannels; ++c) {
        const int above = upper[a + c] * (256 - column.weight) + upper[b + c] * column.weight;
        const int below = lower[a + c] * (256 - column.weight) + lower[b + c] * column.weight;
        const int value = (above * (256 - row.weight) + below * row.weight + (1 << 15)) >> 16;
        to[c] = sampling.tone[static_cast<std::size_t>(value)];
      }
      if constexpr (kChannels == 1) to[1] = to[2] = to[0];
      to += 3;
    }
  }
}

}  // namespace

View draw_view(const Augmentation& augmentation, images::Size source, Rng& rng,
               const std::function<bool(const View&)>& keeps) {
  View whole{0, 0, static_cast<double>(source.width), static_cast<double>(source.height), false, false, 1, 1};
  whole.mirrored = rng.uniform() < augmentation.horizontal_flip;
  whole.upside_down = rng.uniform() < augmentation.vertical_flip;
  whole.gain = rng.uniform(1 - augmentation.brightness, 1 + augmentation.brightness);
  whole.contrast = rng.uniform(1 - augmentation.contrast, 1 + augmentation.contrast);
  const double choice = rng.uniform();
  if (choice >= augmentation.zoom_crop) return whole;
  for (int trial = 0; trial < kCropTrials; ++trial) {
    const View crop = draw_crop(whole, augmentation.min_crop_area, source, rng);
    if (!keeps || keeps(crop)) return crop;
  }
  return whole;
}

Sampling sampling_of(const View& view, images::Size shown, int size, double mean) {
  return {samples(view.y, view.height, view.upside_down, shown.height, size),
          samples(view.x, view.width, view.mirrored, shown.width, size), tone_table(view, mean)};
}

void view_pixels(const View& view, std::span<const std::uint8_t> source, int channels, images::Size shown,
                 int size, double mean, std::uint8_t* to) {
  const Sampling sampling = sampling_of(view, shown, size, mean);
  if (channels == 1)
    sample_pixels<1>(sampling, source.data(), to);
  else
    sample_pixels<3>(sampling, source.data(), to);
}

}  // namespace tune::trainer::data
