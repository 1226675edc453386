#pragma once
// The keys of a comparison file, from the same rows as the spec's wherever it has them.
#include "tuner/core/spec_keys.h"

namespace tune {

const ObjectTable& comparison_table();

}  // namespace tune
