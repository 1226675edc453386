#pragma once
// Where a number begins that a regex has captured: of 1,234.56 it may have taken 234.56, of 2.5 the 5.
// Internal to reading metric lines.
#include "tuner/metrics/captured_number.h"

namespace tune::metrics {

// Its offset into the line, which is the captured one where nothing of the number stands before it.
std::size_t begin_of_number(const CapturedNumber& number);

}  // namespace tune::metrics
