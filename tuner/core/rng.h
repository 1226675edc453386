#pragma once
// Random numbers that are the same on every machine: xoshiro256** (Blackman & Vigna, ACM TOMS 47(4), 2021)
// seeded by SplitMix64. The distributions are ours too, since those of <random> differ between standard
// libraries.
#include <array>
#include <cstdint>
#include <string>

namespace tune {

class Rng {
 public:
  using result_type = std::uint64_t;
  explicit Rng(std::uint64_t seed);
  // A stream of its own for each (seed, stream): suggestion n of a study uses Rng(study seed, n).
  Rng(std::uint64_t seed, std::uint64_t stream);

  std::uint64_t operator()();
  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }

  double uniform();  // [0, 1), 53 bits
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal();                           // mean 0, variance 1
  std::uint64_t below(std::uint64_t bound);  // {0, ..., bound-1} without bias (Lemire 2019); bound > 0

 private:
  std::array<std::uint64_t, 4> state_;
};

// A seed for a new study, from the system's entropy; at most 2^53-1, so that JSON keeps it.
std::uint64_t entropy_seed();
// 128 random bits from the system as 32 hexadecimal digits: attempt tokens.
std::string random_token();

// The seed of a trial: the same for the same study seed and number, below 2^31, since NumPy and scikit-learn
// take none from 2^32 on, and programs that keep it in an int none from 2^31 on.
std::uint64_t trial_seed(std::uint64_t study_seed, int trial);

}  // namespace tune
