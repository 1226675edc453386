#pragma once
// What every task's `tune-train score` asks about resamples and examples, and how it words their numbers.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/loop/task.h"

namespace tune::trainer::loop {

struct ScoreOptions {
  std::string groups;         // a file; empty: every example alone
  std::size_t resamples = 0;  // 0: none
  std::size_t examples = 0;   // likewise
  std::uint64_t seed = 0;     // of the resamples
};
// --groups, --resamples, --examples, --seed. Throws Error(kUsage) for numbers out of range, and for options
// that go with another one that is not there.
ScoreOptions read_score_options(const Request& request);

// "0.341 to 0.402": where the middle 95 % of the numbers lie; those below 0 are undefined, and stay out.
std::string interval_text(std::vector<double> numbers);
// The same of the differences of resamples, some of which are below 0.
std::string interval_of_differences(const std::vector<double>& numbers, const std::vector<double>& from);

}  // namespace tune::trainer::loop
