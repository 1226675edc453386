#pragma once
// Sobol points with Owen scrambling, each computed from its index alone.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tune::strategies {

// A (t, s)-sequence in base 2 (Sobol 1967; direction numbers of Joe & Kuo 2008) under nested uniform
// scrambling (Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences", 1995): the flip of each bit is a
// hash of the seed, the dimension and the bits above it, so nothing is stored. The same (dimensions, seed,
// index) is the same point everywhere. Points are in [0, 1)^dimensions. Past kTabulated dimensions there are
// no direction numbers: those coordinates are hashed, independent uniform ones.
class SobolSequence {
 public:
  static constexpr std::size_t kTabulated = 256;

  SobolSequence(std::size_t dimensions, std::uint64_t seed);

  std::vector<double> point(std::uint32_t index) const;  // index 0, 1, ...
  std::size_t dimensions() const { return dimensions_; }

  // The unscrambled integer coordinate, of which the value is x / 2^32; natural (not Gray code) order.
  // dimension < kTabulated, from 0.
  std::uint32_t raw(std::size_t dimension, std::uint32_t index) const;

 private:
  std::uint32_t scramble(std::uint32_t x, std::uint64_t key) const;

  std::size_t dimensions_;
  std::uint64_t seed_;
  std::vector<std::uint32_t>
      columns_;  // 32 a dimension: the generating matrix, bit k of the index selects column k
};

// A well-mixed 64-bit hash of two numbers (SplitMix64's finaliser; Steele, Lea & Flood, OOPSLA 2014).
std::uint64_t mix_bits(std::uint64_t a, std::uint64_t b);

}  // namespace tune::strategies
