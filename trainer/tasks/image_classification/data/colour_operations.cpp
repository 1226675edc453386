#include "trainer/tasks/image_classification/data/colour_operations.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

namespace tune::trainer::image_classification {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Tables = std::array<Table, 3>;  // of red, green, blue
using Matrix = std::array<std::array<double, 3>, 3>;

constexpr std::array<double, 3> kLuminance{0.299, 0.587, 0.114};  // ITU-R BT.601, as torchvision's grey

Matrix product(const Matrix& one, const Matrix& other) {
  Matrix result{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 3; ++k) result[i][j] += one[i][k] * other[k][j];
  return result;
}

Matrix saturation_matrix(double saturation) {
  Matrix matrix{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      matrix[i][j] = (i == j ? saturation : 0) + (1 - saturation) * kLuminance[j];
  return matrix;
}

Matrix hue_matrix(double turn) {
  const double c = std::cos(2 * std::numbers::pi * turn), s = std::sin(2 * std::numbers::pi * turn);
  return {{{.213 + .787 * c - .213 * s, .715 - .715 * c - .715 * s, .072 - .072 * c + .928 * s},
           {.213 - .213 * c + .143 * s, .715 + .285 * c + .140 * s, .072 - .072 * c - .283 * s},
           {.213 - .213 * c - .787 * s, .715 - .715 * c + .715 * s, .072 + .928 * c + .072 * s}}};
}

double mean_grey(std::span<const std::uint8_t> pixels) {
  std::array<std::uint64_t, 3> sums{};
  for (std::size_t i = 0; i < pixels.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) sums[c] += pixels[i + c];
  double mean = 0;
  for (std::size_t c = 0; c < 3; ++c) mean += kLuminance[c] * static_cast<double>(sums[c]);
  return mean * 3 / static_cast<double>(pixels.size());
}

std::uint8_t to_byte(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

void apply_tables(const Tables& tables, std::span<std::uint8_t> pixels) {
  for (std::size_t i = 0; i < pixels.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) pixels[i + c] = tables[c][pixels[i + c]];
}

void apply_table(const Table& table, std::span<std::uint8_t> pixels) {
  for (std::uint8_t& value : pixels) value = table[value];
}

void jitter(const ColourOperation& operation, std::span<std::uint8_t> pixels) {
  const double gain = operation.brightness * operation.contrast;
  const double offset =
      operation.contrast == 1 ? 0 : (1 - operation.contrast) * operation.brightness * mean_grey(pixels);
  if (operation.saturation == 1 && operation.hue == 0) {
    Table table{};
    for (std::size_t v = 0; v < table.size(); ++v)
      table[v] = to_byte(static_cast<int>(std::floor(gain * static_cast<double>(v) + offset + 0.5)));
    return apply_table(table, pixels);
  }
  const Matrix matrix = product(hue_matrix(operation.hue), saturation_matrix(operation.saturation));
  constexpr int kBits = 16;
  std::array<std::array<int, 3>, 3> weights{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      weights[i][j] = static_cast<int>(std::lround(gain * matrix[i][j] * (1 << kBits)));
  const int added = static_cast<int>(std::lround(offset * (1 << kBits))) + (1 << (kBits - 1));
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    const int red = pixels[i], green = pixels[i + 1], blue = pixels[i + 2];
    for (std::size_t c = 0; c < 3; ++c)
      pixels[i + c] =
          to_byte((weights[c][0] * red + weights[c][1] * green + weights[c][2] * blue + added) >> kBits);
  }
}

// Blends with a smoothed copy, 3 x 3 pixels with the middle one counting five times; the edges stay.
void sharpen(double amount, const Picture& picture) {
  const auto row_bytes = static_cast<std::size_t>(picture.size) * 3;
  const std::vector<std::uint8_t> before(picture.pixels.begin(), picture.pixels.end());
  constexpr int kSum = 13;
  // 8 fractional bits: amounts lie within [0, 2].
  const int kept = static_cast<int>(std::lround(amount * 256)), smoothed = 256 - kept;
  for (int y = 1; y + 1 < picture.size; ++y) {
    const std::uint8_t* middle = before.data() + static_cast<std::size_t>(y) * row_bytes;
    const std::uint8_t *above = middle - row_bytes, *below = middle + row_bytes;
    std::uint8_t* to = picture.pixels.data() + static_cast<std::size_t>(y) * row_bytes;
    for (std::size_t x = 3; x + 3 < row_bytes; ++x) {
      const int sum = above[x - 3] + above[x] + above[x + 3] + middle[x - 3] + 5 * middle[x] + middle[x + 3] +
                      below[x - 3] + below[x] + below[x + 3];
      const int mean = (sum + kSum / 2) / kSum;
      to[x] = to_byte((kept * middle[x] + smoothed * mean + 128) >> 8);
    }
  }
}

std::array<std::array<std::uint32_t, 256>, 3> histograms(std::span<const std::uint8_t> pixels) {
  std::array<std::array<std::uint32_t, 256>, 3> counts{};
  for (std::size_t i = 0; i < pixels.size(); i += 3)
    for (std::size_t c = 0; c < 3; ++c) ++counts[c][pixels[i + c]];
  return counts;
}

void stretch_contrast(std::span<std::uint8_t> pixels) {
  const auto counts = histograms(pixels);
  Tables tables{};
  for (std::size_t c = 0; c < 3; ++c) {
    std::size_t low = 0, high = 255;
    while (counts[c][low] == 0) ++low;
    while (counts[c][high] == 0) --high;
    for (std::size_t v = 0; v < 256; ++v)
      tables[c][v] = high == low
                         ? static_cast<std::uint8_t>(v)
                         : to_byte(static_cast<int>((static_cast<double>(v) - static_cast<double>(low)) *
                                                    255.0 / static_cast<double>(high - low)));
  }
  apply_tables(tables, pixels);
}

// A table of cumulated counts in steps of the whole without its highest value, by 255.
void equalize(std::span<std::uint8_t> pixels) {
  const auto counts = histograms(pixels);
  const auto all = static_cast<std::uint32_t>(pixels.size() / 3);
  Tables tables{};
  for (std::size_t c = 0; c < 3; ++c) {
    std::size_t high = 255;
    while (counts[c][high] == 0) --high;
    const std::uint32_t step = (all - counts[c][high]) / 255;
    std::uint32_t sum = step / 2;
    for (std::size_t v = 0; v < 256; ++v) {
      tables[c][v] = step == 0 ? static_cast<std::uint8_t>(v) : to_byte(static_cast<int>(sum / step));
      sum += counts[c][v];
    }
  }
  apply_tables(tables, pixels);
}

void posterize(int bits, std::span<std::uint8_t> pixels) {
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits));
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(value & mask);
}

void solarize(double from, std::span<std::uint8_t> pixels) {
  for (std::uint8_t& value : pixels)
    if (value >= from) value = static_cast<std::uint8_t>(255 - value);
}

}  // namespace

void apply(const ColourOperation& operation, const Picture& picture) {
  switch (operation.kind) {
    case ColourKind::kJitter:
      return jitter(operation, picture.pixels);
    case ColourKind::kSharpness:
      return sharpen(operation.amount, picture);
    case ColourKind::kPosterize:
      return posterize(static_cast<int>(operation.amount), picture.pixels);
    case ColourKind::kSolarize:
      return solarize(operation.amount, picture.pixels);
    case ColourKind::kAutoContrast:
      return stretch_contrast(picture.pixels);
    case ColourKind::kEqualize:
      return equalize(picture.pixels);
  }
}

void erase(const Rectangle& rectangle, const std::array<std::uint8_t, 3>& colour, const Picture& picture) {
  for (int y = rectangle.y1; y < rectangle.y2; ++y)
    for (int x = rectangle.x1; x < rectangle.x2; ++x)
      std::memcpy(
          picture.pixels.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.size) +
                                   static_cast<std::size_t>(x)) *
                                      3,
          colour.data(), 3);
}

}  // namespace tune::trainer::image_classification
