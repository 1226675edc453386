#pragma once
// What a study does about an attempt that failed: the spec's section `retry`.
#include <string>
#include <variant>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/json.h"
#include "tuner/core/space.h"

namespace tune {

// What a trial that ran out of memory has in place of one of its hyperparameters when it runs again.
enum class Rescale { kHalf, kDouble };
struct Replacement {
  std::string name;
  std::variant<Rescale, Json> by;  // of what it had before, or a value
};
using RetryStep = std::vector<Replacement>;  // made together

struct Retry {
  std::vector<RetryStep> out_of_memory;  // the ladder, a step each time; empty: such a trial fails
  int infrastructure = 3;                // attempts of a trial that may end so before it fails
  // Before the second of them; twice as long before each further one, up to kLongestBackoff.
  Milliseconds backoff{1'000};
};
inline constexpr Milliseconds kLongestBackoff{600'000};

// What stands in place of `values`, which are all the hyperparameters of a trial, when it has gone up the
// ladder so many times: steps that change nothing of it are passed over.
struct Climbed {
  ParameterSet replaced;   // by name, what differs from `values`
  bool is_at_end = false;  // the ladder has not so many steps; `replaced` is its last
};
Climbed climb(const std::vector<RetryStep>& ladder, const ParameterSet& values, int times);

}  // namespace tune
