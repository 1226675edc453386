#include "tuner/core/rng.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <numbers>

#include "tuner/core/error.h"

namespace tune {
namespace {

__extension__ using Wide = unsigned __int128;

// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): advances `state` and answers its mixed value.
std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

std::array<std::uint64_t, 4> expand(std::uint64_t seed) {
  return {split_mix(seed), split_mix(seed), split_mix(seed), split_mix(seed)};
}

// Mixing before adding keeps (seed, stream) and (seed + 1, stream - 1) apart.
std::uint64_t combine(std::uint64_t seed, std::uint64_t stream) {
  const std::uint64_t mixed = split_mix(seed);
  std::uint64_t state = mixed + stream;
  return split_mix(state);
}

template <typename Bytes>
void fill_from_system(Bytes& bytes) {
  if (getentropy(bytes.data(), bytes.size()) != 0)
    throw Error(ExitCode::kEnvironment,
                std::string("the system gives no random numbers: ") + std::strerror(errno));
}

}  // namespace

Rng::Rng(std::uint64_t seed) : state_(expand(seed)) {}
Rng::Rng(std::uint64_t seed, std::uint64_t stream) : state_(expand(combine(seed, stream))) {}

std::uint64_t Rng::operator()() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Rng::uniform() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

double Rng::normal() {
  // Box-Muller without keeping the second value: no hidden state beside state_. 1 - u lies in (0, 1], so log
  // is finite.
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::uint64_t Rng::below(std::uint64_t bound) {
  TUNE_CHECK(bound > 0);
  // Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019, algorithm 5.
  Wide product = Wide{(*this)()} * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < threshold) product = Wide{(*this)()} * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t entropy_seed() {
  std::array<unsigned char, 8> bytes{};
  fill_from_system(bytes);
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed >> 11;
}

std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  fill_from_system(bytes);
  std::string token;
  for (const unsigned char byte : bytes) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  return token;
}

std::uint64_t trial_seed(std::uint64_t study_seed, int trial) {
  // A family of streams of their own, apart from those that suggestions are drawn from.
  constexpr std::uint64_t kStreams = std::uint64_t{1} << 63;
  Rng rng(study_seed, kStreams + static_cast<std::uint64_t>(trial));
  return rng() >> 33;
}

}  // namespace tune
