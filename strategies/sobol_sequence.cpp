#include "strategies/sobol_sequence.h"

#include <algorithm>
#include <array>

#include "strategies/sobol_directions.h"

namespace tune::strategies {
namespace {

constexpr std::uint32_t kBits = 32;

std::array<std::uint32_t, kBits> generating_matrix(std::size_t dimension) {
  std::array<std::uint32_t, kBits> column{};
  if (dimension == 0) {
    for (std::uint32_t k = 0; k < kBits; ++k) column[k] = 1u << (kBits - 1 - k);
    return column;
  }
  const SobolDirection& d = sobol_directions()[dimension - 1];
  for (std::uint32_t k = 0; k < kBits; ++k) {
    if (k < d.degree) {
      column[k] = d.initial[k] << (kBits - 1 - k);
      continue;
    }
    std::uint32_t v = column[k - d.degree] ^ (column[k - d.degree] >> d.degree);
    for (std::uint32_t j = 1; j < d.degree; ++j) {
      if ((d.coefficients >> (d.degree - 1 - j)) & 1u) v ^= column[k - j];
    }
    column[k] = v;
  }
  return column;
}

}  // namespace

std::uint64_t mix_bits(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a + 0x9e3779b97f4a7c15ull * (b + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

SobolSequence::SobolSequence(std::size_t dimensions, std::uint64_t seed)
    : dimensions_(dimensions), seed_(mix_bits(seed, 0x50b01)) {
  const std::size_t tabulated = std::min(dimensions, kTabulated);
  columns_.reserve(tabulated * kBits);
  for (std::size_t d = 0; d < tabulated; ++d) {
    const auto matrix = generating_matrix(d);
    columns_.insert(columns_.end(), matrix.begin(), matrix.end());
  }
}

std::uint32_t SobolSequence::raw(std::size_t dimension, std::uint32_t index) const {
  std::uint32_t x = 0;
  for (std::size_t k = 0; index != 0; ++k, index >>= 1) {
    if (index & 1u) x ^= columns_[dimension * kBits + k];
  }
  return x;
}

std::uint32_t SobolSequence::scramble(std::uint32_t x, std::uint64_t key) const {
  std::uint32_t result = 0;
  for (std::uint32_t bit = 0; bit < kBits; ++bit) {
    // The leading one marks how long the prefix is, so that 0 and 00 hash differently.
    const std::uint64_t prefix = (std::uint64_t{1} << bit) | (bit == 0 ? 0u : x >> (kBits - bit));
    const auto flip = static_cast<std::uint32_t>(mix_bits(key, prefix) >> 63);
    result = (result << 1) | (((x >> (kBits - 1 - bit)) & 1u) ^ flip);
  }
  return result;
}

std::vector<double> SobolSequence::point(std::uint32_t index) const {
  std::vector<double> point(dimensions_);
  for (std::size_t d = 0; d < dimensions_; ++d) {
    const std::uint64_t key = mix_bits(seed_, d);
    // Below the 32 bits of the net a point is uniform in its cell, as under a scrambling of infinitely many
    // bits.
    const double within = static_cast<double>(mix_bits(~key, index) >> 43) * 0x1p-21;
    if (d < kTabulated) {
      point[d] = (static_cast<double>(scramble(raw(d, index), key)) + within) * 0x1p-32;
    } else {
      point[d] = static_cast<double>(mix_bits(key, index) >> 11) * 0x1p-53;
    }
  }
  return point;
}

}  // namespace tune::strategies
