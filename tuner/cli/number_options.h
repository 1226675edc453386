#pragma once
// Options that are numbers, checked.
#include <cstdint>
#include <optional>
#include <string>

#include "tuner/cli/options.h"

namespace tune::cli {

inline constexpr int kMostTrials = 1'000'000'000;
// --NAME N, from 1 to `most`. Error(kUsage) for anything else.
std::optional<int> count_option(const Parsed& options, const std::string& name, int most = kMostTrials);
// --seed N, from 0 to 2^53 - 1. Error(kUsage) for anything else.
std::optional<std::uint64_t> seed_option(const Parsed& options);

}  // namespace tune::cli
