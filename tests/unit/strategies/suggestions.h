#pragma once
// What tests of the strategies have in common: asking one, and observations for those that learn from them.
#include <cstdint>
#include <variant>

#include "strategies/hyperparameter_schedule.h"
#include "strategies/strategy.h"
#include "unit/strategies/dense_reference.h"

namespace tune::tests {

inline double at(const ParameterSet& point, const char* name) { return point.at(name).get<double>(); }

inline strategies::Suggestion ask(strategies::Strategy& strategy, const History& history,
                                  std::uint64_t seed) {
  Rng rng(seed, static_cast<std::uint64_t>(history.next_number()));
  return std::get<strategies::Suggestion>(strategy.suggest(history, rng));
}

// Trials 1 to `rows`, uniform in the unit cube, with the values of a wavy function.
inline strategies::ObservationTable table_of(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  strategies::ObservationTable table;
  table.features = uniform_matrix(rows, columns, seed);
  const Eigen::VectorXd y = wavy_targets(table.features, seed);
  table.losses.assign(y.begin(), y.end());
  for (Eigen::Index i = 1; i <= rows; ++i) table.trials.push_back(static_cast<int>(i));
  return table;
}

}  // namespace tune::tests
