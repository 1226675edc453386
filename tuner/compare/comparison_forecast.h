#pragma once
// What a comparison will cost, before it runs.
#include <optional>
#include <string>

#include "store/comparison_facts.h"
#include "tuner/compare/comparison.h"
#include "tuner/engine/devices/machine.h"

namespace tune::compare {

// By study, from an approach's probe and its epochs; with a reason where something of it is not known, as of
// a program of one's own, which has no probe. A trial takes its start-up, and for each epoch its training
// images at the speed of the precision that the probe chose and one validation. Trials that share a device
// are taken to have it in turns. The time is the least of what its trials take and what its limits allow
// (`time` on as many devices as the machine has for it, `gpu_hours`, `cost_usd`). A search without a limit on
// its trials is taken to make as many as fit.
store::CostForecasts forecast_approach(const Comparison& comparison, std::size_t approach,
                                       const std::optional<store::Probe>& probe,
                                       const Json& trainer_description, const engine::Machine& machine);

// What the end takes: predicting with every model on so many test images; no time at all where the trials
// have printed their tests' results. `forecast` is that of all approaches, `probes` their answers,
// `machine_name` those of which machine. A model predicts no slower than it trains, so this is a bound.
store::CostForecast forecast_predicting(const Comparison& comparison, const store::CostForecasts& forecast,
                                        const store::ComparisonProbes& probes,
                                        const std::string& machine_name, double test_images);

// The sum of studies, of predicting (where it is known), and of the probes themselves.
struct ForecastTotal {
  double device_hours = 0, wall_hours = 0;
  std::string bound;          // "", "at most", "at least" or "about"
  std::optional<double> usd;  // at the comparison's price
};
ForecastTotal forecast_total(const Comparison& comparison, const store::CostForecasts& forecast,
                             const store::CostForecast& predicting, double probing_seconds);

}  // namespace tune::compare
