#pragma once
// What a comparison will cost, before it runs.
#include "tuner/core/comparison.h"
#include "tuner/core/json.h"

namespace tune::engine {

// By study: {"trials", "seconds_per_trial", "device_hours"} from an approach's probe (images per second at
// the precision it chose, and the training images) and its epochs, without validation and start-up; or
// {"reason"} where something of it is not known. A search that stops losers costs less.
Json forecast_approach(const Comparison& comparison, std::size_t approach, const Json& probe,
                       const Json& trainer_description);

}  // namespace tune::engine
