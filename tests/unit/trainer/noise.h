#pragma once
// Numbers that a formula gives, the same in Python (tests/golden/noise.py): weights and inputs of networks
// that are compared with others', so that golden files hold outputs only.
#include <algorithm>

#include "torch_catch.h"

namespace tune::tests {

// `count` numbers from [-1/2, 1/2): a hash of the name (FNV-1a) and the index (murmur3's finalizer).
inline torch::Tensor noise(const std::string& name, std::int64_t count) {
  constexpr std::int64_t kMask = 0xFFFFFFFF;
  std::int64_t seed = 2166136261;
  for (const char letter : name) seed = (seed ^ static_cast<unsigned char>(letter)) * 16777619 & kMask;
  torch::Tensor x = (torch::arange(count) * 2654435761 + seed).bitwise_and(kMask);
  x = x.bitwise_xor(x.bitwise_right_shift(16));
  x = (x * 0x85EBCA6B).bitwise_and(kMask);
  x = x.bitwise_xor(x.bitwise_right_shift(13));
  x = (x * 0xC2B2AE35).bitwise_and(kMask);
  x = x.bitwise_xor(x.bitwise_right_shift(16));
  return x.bitwise_right_shift(8).to(torch::kFloat) / 16777216 - 0.5;
}

// noise() that repeats, so that networks of a hundred million weights are filled in no time.
inline torch::Tensor repeated_noise(const std::string& name, std::int64_t count) {
  constexpr std::int64_t kPeriod = std::int64_t{1} << 20;
  const torch::Tensor once = noise(name, std::min(count, kPeriod));
  return once.repeat({(count + kPeriod - 1) / kPeriod}).slice(0, 0, count);
}

}  // namespace tune::tests
