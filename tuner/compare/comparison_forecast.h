#pragma once
// What a comparison will cost, before it runs.
#include <string>

#include "tuner/compare/comparison.h"
#include "tuner/core/json.h"
#include "tuner/engine/devices/machine.h"

namespace tune::compare {

// By study: {"trials", "seconds_per_trial", "device_seconds_per_trial", "device_hours", "wall_hours",
// "at_most"} from an approach's probe and its
// epochs; or {"reason"} where something of it is not known, as of a program of one's own. A trial takes its
// start-up, and for each epoch its training images at the speed of the precision that the probe chose and one
// validation. Trials that share a device are taken to have it in turns. The time is the least of what its
// trials take and what its limits allow (`time` on as many devices as the machine has for it, `gpu_hours`,
// `cost_usd`); "at_most" says that it may be less: since a limit decides, or losers are stopped. A search
// without a limit on its trials is taken to make as many as fit.
Json forecast_approach(const Comparison& comparison, std::size_t approach, const Json& probe,
                       const Json& trainer_description, const engine::Machine& machine);

// What the end takes: {"models", "device_hours", "at_most"} for predicting with every model on so many test
// images, or {"reason"}; no time at all where the trials have printed their tests' results. `forecast` is
// that of all approaches, `probes` their answers, `machine_name` those of which machine. A model predicts no
// slower than it trains, so this is a bound.
Json forecast_predicting(const Comparison& comparison, const Json& forecast, const Json& probes,
                         const std::string& machine_name, double test_images);

// The sum of all: {"device_hours", "wall_hours", "usd" at the comparison's price, "bound": "", "at most",
// "at least" or "about"}, of studies, of predicting (where it is known), and of the probes themselves.
Json forecast_total(const Comparison& comparison, const Json& forecast, const Json& predicting,
                    double probing_seconds);

}  // namespace tune::compare
