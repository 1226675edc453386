#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#ifdef __x86_64__
#include <immintrin.h>
#endif

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
  int first = 0, last = 0;  // the inputs that are looked at, half-open
};

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

// Outputs from `begin` on, `count` of the `to` that `from` inputs become.
Filter filter_of(int from, int to, int begin, int count, Interpolation interpolation) {
  const bool is_cubic = interpolation == Interpolation::kBicubic;
  const double scale = static_cast<double>(from) / to;
  const double width = std::max(scale, 1.0);  // widened when shrinking: that is the antialiasing
  const double support = width * (is_cubic ? 2 : 1);
  Filter filter;
  filter.first = from;
  for (int i = begin; i < begin + count; ++i) {
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
    filter.first = std::min(filter.first, first);
    filter.last = std::max(filter.last, last);
    for (const double weight : exact)
      filter.weights.push_back(
          static_cast<int>(std::copysign(0.5, weight) + weight / sum * (1 << kFractionBits)));
  }
  return filter;
}

// What is always inlined is compiled for the registers of the function that it ends in: see filter_widely().
[[gnu::always_inline]] inline std::uint8_t round_to_byte(int sum) {
  sum >>= kFractionBits;
  return static_cast<std::uint8_t>(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

template <std::size_t kChannels>
void narrow_row(const Filter& filter, const std::uint8_t* from, std::uint8_t* to) {
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

// Rows of `image` from first_row on, as wide as the result.
void narrow(const Image& image, int first_row, const Filter& columns, Image& narrowed) {
  for (int y = 0; y < narrowed.height; ++y)
    if (image.channels == 3)
      narrow_row<3>(columns, image.row(first_row + y), narrowed.row(y));
    else
      narrow_row<1>(columns, image.row(first_row + y), narrowed.row(y));
}

[[gnu::always_inline]] inline void shorten(const Image& image, int first_row, const Filter& rows,
                                           Image& result) {
  std::vector<int> sums(result.row_bytes());
  for (int y = 0; y < result.height; ++y) {
    const Taps& taps = rows.taps[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), 1 << (kFractionBits - 1));
    int* sum = sums.data();
    for (int k = 0; k < taps.count; ++k) {
      const std::uint8_t* from = image.row(taps.first - first_row + k);
      const int weight = rows.weights[taps.weights + static_cast<std::size_t>(k)];
      for (std::size_t x = 0; x < sums.size(); ++x) sum[x] += from[x] * weight;
    }
    std::uint8_t* to = result.row(y);
    for (std::size_t x = 0; x < sums.size(); ++x) to[x] = round_to_byte(sum[x]);
  }
}

Image narrowed_image(const Image& image, const Filter& rows, int width) {
  Image narrowed{width, rows.last - rows.first, image.channels, {}};
  narrowed.pixels.resize(narrowed.row_bytes() * static_cast<std::size_t>(narrowed.height));
  return narrowed;
}

// A filter that leaves an axis as it is changes no byte.
void filter_plainly(const Image& image, const Filter& columns, const Filter& rows, Image& result) {
  Image narrowed = narrowed_image(image, rows, result.width);
  narrow(image, rows.first, columns, narrowed);
  shorten(narrowed, rows.first, rows, result);
}

#ifdef __x86_64__

constexpr int kRowsAtOnce = 4;

// A pixel of three channels of each of two rows, and the byte behind it.
[[gnu::target("avx2")]] inline __m256i pixels_of(const std::uint8_t* one, const std::uint8_t* other) {
  std::uint32_t low = 0, high = 0;
  std::memcpy(&low, one, sizeof low);
  std::memcpy(&high, other, sizeof high);
  return _mm256_cvtepu8_epi32(
      _mm_insert_epi32(_mm_cvtsi32_si128(static_cast<int>(low)), static_cast<int>(high), 1));
}

[[gnu::target("avx2")]] inline void put_rounded(__m256i sums, std::uint8_t* one, std::uint8_t* other) {
  sums = _mm256_srai_epi32(sums, kFractionBits);
  const __m256i words = _mm256_packs_epi32(sums, sums), bytes = _mm256_packus_epi16(words, words);
  const int low = _mm256_extract_epi32(bytes, 0), high = _mm256_extract_epi32(bytes, 4);
  std::memcpy(one, &low, 3);
  std::memcpy(other, &high, 3);
}

// The same as narrow_row<3>() of so many rows. Reads one byte behind the last pixel of each.
[[gnu::target("avx2")]] void narrow_rows(const Filter& filter,
                                         const std::array<const std::uint8_t*, kRowsAtOnce>& from,
                                         const std::array<std::uint8_t*, kRowsAtOnce>& to) {
  std::size_t place = 0;
  for (const Taps& taps : filter.taps) {
    const int* weight = filter.weights.data() + taps.weights;
    __m256i upper = _mm256_set1_epi32(1 << (kFractionBits - 1)), lower = upper;
    std::size_t pixel = 3 * static_cast<std::size_t>(taps.first);
    for (int k = 0; k < taps.count; ++k, pixel += 3) {
      const __m256i each = _mm256_set1_epi32(weight[k]);
      upper = _mm256_add_epi32(upper, _mm256_mullo_epi32(pixels_of(from[0] + pixel, from[1] + pixel), each));
      lower = _mm256_add_epi32(lower, _mm256_mullo_epi32(pixels_of(from[2] + pixel, from[3] + pixel), each));
    }
    put_rounded(upper, to[0] + place, to[1] + place);
    put_rounded(lower, to[2] + place, to[3] + place);
    place += 3;
  }
}

void narrow_widely(const Image& image, int first_row, const Filter& columns, Image& narrowed) {
  if (image.channels != 3) return narrow(image, first_row, columns, narrowed);
  // Behind the image's last row no byte may be read.
  const std::uint8_t* last = image.row(image.height - 1);
  std::vector<std::uint8_t> last_row(last, last + image.row_bytes());
  last_row.push_back(0);
  for (int y = 0; y < narrowed.height; y += kRowsAtOnce) {
    std::array<const std::uint8_t*, kRowsAtOnce> from;
    std::array<std::uint8_t*, kRowsAtOnce> to;
    for (std::size_t i = 0; i < kRowsAtOnce; ++i) {
      const int row =
          std::min(y + static_cast<int>(i), narrowed.height - 1);  // the last one again, at the end
      const bool is_last = first_row + row == image.height - 1;
      from[i] = is_last ? last_row.data() : image.row(first_row + row);
      to[i] = narrowed.row(row);
    }
    narrow_rows(columns, from, to);
  }
}

[[gnu::target("avx2")]] void filter_widely(const Image& image, const Filter& columns, const Filter& rows,
                                           Image& result) {
  Image narrowed = narrowed_image(image, rows, result.width);
  narrow_widely(image, rows.first, columns, narrowed);
  shorten(narrowed, rows.first, rows, result);
}

bool has_wide_registers() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
}

const auto filter_as_fast_as_possible = has_wide_registers() ? filter_widely : filter_plainly;

#else

constexpr auto filter_as_fast_as_possible = filter_plainly;

#endif

}  // namespace

Image resize_part(const Image& image, Size size, Part part, Interpolation interpolation) {
  Image result{part.width, part.height, image.channels, {}};
  result.pixels.resize(result.row_bytes() * static_cast<std::size_t>(part.height));
  filter_as_fast_as_possible(image, filter_of(image.width, size.width, part.left, part.width, interpolation),
                             filter_of(image.height, size.height, part.top, part.height, interpolation),
                             result);
  return result;
}

Image resize(const Image& image, Size size, Interpolation interpolation) {
  if (image.width == size.width && image.height == size.height) return image;
  return resize_part(image, size, {0, 0, size.width, size.height}, interpolation);
}

}  // namespace tune::trainer::images
