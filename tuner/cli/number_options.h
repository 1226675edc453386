#pragma once
// Options that are numbers, checked.
#include <cstdint>
#include <optional>
#include <string>

#include "tuner/cli/command_line/options.h"

namespace tune::cli {

inline constexpr int kMostTrials = 1'000'000'000;
// --NAME N, from 1 to `most`. Error(kUsage) for anything else.
std::optional<int> count_option(const Parsed& options, const std::string& name, int most = kMostTrials);
// --NAME N, a finite number of 0 or more. Error(kUsage) for anything else.
std::optional<double> amount_option(const Parsed& options, const std::string& name);
// --NAME X, a finite number. Error(kUsage) for anything else.
std::optional<double> value_option(const Parsed& options, const std::string& name);
// --seed N, from 0 to 2^53 - 1. Error(kUsage) for anything else.
std::optional<std::uint64_t> seed_option(const Parsed& options);

}  // namespace tune::cli
