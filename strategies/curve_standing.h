#pragma once
// Where a trial stands on the way, from its curve.
#include <cstdint>
#include <optional>
#include <vector>

#include "tuner/core/history.h"

namespace tune::strategies {

// What a trial with this curve (not empty) has reached, as the objective's `reduce` says; with `last`, which
// has no memory, the better of the last two values stands for it. A last value that is not finite is passed
// over unless the one before it is not finite either: NaN then, the trial has diverged.
double reached(const std::vector<MetricPoint>& curve, const Objective& objective);
double reached(const MetricPoint* begin, const MetricPoint* end, const Objective& objective);

// The same at the first point at or beyond `step`, as if the curve ended there; nullopt for a curve that did
// not get so far.
std::optional<double> reached_by(const std::vector<MetricPoint>& curve, std::int64_t step,
                                 const Objective& objective);

}  // namespace tune::strategies
