#pragma once
// What detection offers, for `tune` and for people.
#include "tuner/core/json.h"

namespace tune::trainer::detection {

// The task's part of `tune-train describe --json`.
OrderedJson describe_detection();

}  // namespace tune::trainer::detection
