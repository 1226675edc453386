#pragma once
// How much each hyperparameter matters: functional analysis of variance.
#include <cstddef>
#include <string>
#include <vector>

#include "tuner/core/history.h"

namespace tune::strategies {

struct ParameterImportance {
  std::string name;
  double share = 0;  // of the variance of the objective over the space, in [0, 1]: by this parameter alone
};

struct Importance {
  std::size_t trials = 0;                       // completed ones with a finite value
  std::string objection;                        // why there are no shares, as a sentence; else empty
  std::vector<ParameterImportance> parameters;  // the most important first; empty with an objection
  double interactions = 0;                      // the rest: what only several parameters together explain
};

// The shares of variance of a random forest's prediction over the unit cube (Hutter, Hoos & Leyton-Brown, "An
// efficient approach for assessing hyperparameter importance", ICML 2014), where each parameter is uniform on
// its scale. For the mean of all trees a parameter's marginal is computed exactly, from the boxes of the
// leaves; the total variance is taken on 4096 Sobol points. Averaging the trees before the variance is taken,
// and not the shares of single trees, keeps what each tree makes of noise out of the shares.
//
// A parameter that is not active in a trial has no value there; each tree draws one, uniformly, so that it
// shows no influence where it has none. Values far out, beyond three interquartile ranges from the quartiles
// (Tukey, "Exploratory Data Analysis", 1977), count as the value there: one diverged trial would otherwise be
// all that there is to explain. Failed and stopped trials do not count.
//
// Deterministic: a pure function of the completed trials. Fewer than least_trials() give an objection, and so
// do equal values.
Importance importance(const SearchSpace& space, const History& history);

// Fewer would show noise: ten, or two for each parameter.
std::size_t least_trials(const SearchSpace& space);

}  // namespace tune::strategies
