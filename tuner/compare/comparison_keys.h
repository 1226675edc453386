#pragma once
// The keys of a comparison file, from the same rows as the spec's wherever it has them.
#include <array>

#include "tuner/spec/spec_keys.h"

namespace tune::compare {

// The limits that are the whole comparison's budget: no study gets them as they stand.
inline constexpr std::array<const char*, 2> kBudgetLimits{"gpu_hours", "cost_usd"};

const ObjectTable& comparison_table();

}  // namespace tune::compare
