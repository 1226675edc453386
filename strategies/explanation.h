#pragma once
// What a strategy knew of the point that it suggests, as JSON for people who ask why:
// Suggestion::explanation. Computed at that one point, after it was chosen: it changes no answer.
#include <array>

#include "strategies/encoded_history.h"
#include "strategies/surrogate.h"
#include "tuner/core/json.h"

namespace tune::strategies {

// A choice of a Gaussian process, beside the surrogate that it was made with.
struct ProcessChoice {
  const History& history;
  const EncodedHistory& encoded;
  const Surrogate& surrogate;
  const UnitPoint& chosen;
  const UnitPoint& best;     // the best known point by the model's mean
  double expected_gain = 0;  // in the metric's units
  double success = 1;        // the probability that the trial does not fail
};

// {"strategy": "bayesian", "model": {...}, "predicted": {...}, "expected_improvement": 0.01, "success": 0.97,
//  "best": {...}, "contributions": {NAME: {"change": -0.02}}, "nearest": [...]}. A contribution says how much
// the predicted value would differ if that parameter alone were as in the best known trial, exact in the
// model; children of a parameter that is replaced become as they were there. The largest ones are kept.
Json explain_process(const SearchSpace& space, const Encoding& encoding, const Objective& objective,
                     HistoryEncoder& encoder, const ProcessChoice& choice);

// A choice of two processes, of a history with two objectives.
struct PairChoice {
  const History& history;
  const EncodedHistory& encoded;
  const std::array<Surrogate, 2>& surrogates;
  const UnitPoint& chosen;
  std::size_t front = 0;     // trials on it, as the models see it
  double expected_gain = 0;  // of what the front dominates, as a part of it
  double success = 1;        // the probability that the trial does not fail
};

// {"strategy": "bayesian", "model": {...}, "second_model": {...}, "predicted": {...},
//  "second_predicted": {...}, "front": 7, "expected_hypervolume_improvement": 0.01, "success": 0.97,
//  "nearest": [...]}: each process as above, and the trials that are nearest by the first one's length
//  scales.
// There is no one best trial to compare with.
Json explain_processes(const SearchSpace& space, const Encoding& encoding, const Objective& objective,
                       HistoryEncoder& encoder, const PairChoice& choice);

// [{"trial": 3, "distance": 0.21, "state": "completed", "value": 0.12}]: this study's trials that are nearest
// to a point, by the distance sqrt(sum_f ((x_f - x'_f) / length_f)^2) of their features.
Json nearest_trials(const History& history, HistoryEncoder& encoder, Goal goal,
                    const Eigen::VectorXd& features, const Eigen::VectorXd& inverse_lengths);

// Six significant digits, which is what a person reads; null where it is not finite.
Json explained_number(double number);

// Of contributions or length scales, so many are kept.
inline constexpr std::size_t kMostExplained = 8;

}  // namespace tune::strategies
