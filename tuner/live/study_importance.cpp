#include "tuner/live/study_importance.h"

#include <memory>

namespace tune::live {

strategies::Importance study_importance(const std::optional<SearchSpace>& space, const History& history) {
  if (space) return strategies::importance(*space, history);
  // The best trial of a study that another version began is shown all the same.
  strategies::Importance unknown;
  unknown.trials = history.trials.size();
  unknown.objection = "the stored spec cannot be read by this version";
  return unknown;
}

std::optional<strategies::Importance> second_importance(const std::optional<SearchSpace>& space,
                                                        const History& history) {
  if (!history.second) return std::nullopt;
  History by_second = history;
  by_second.objective = *history.second;
  by_second.second.reset();
  for (auto& trial : by_second.trials) {
    TrialView view = *trial;
    view.values.erase(view.values.begin(), view.values.begin() + (view.values.empty() ? 0 : 1));
    trial = std::make_shared<const TrialView>(std::move(view));
  }
  return study_importance(space, by_second);
}

report::ImportanceRows importance_rows(const strategies::Importance& importance) {
  report::ImportanceRows rows{importance.trials, importance.objection, {}, importance.interactions};
  for (const auto& parameter : importance.parameters)
    rows.shares.emplace_back(parameter.name, parameter.share);
  return rows;
}

}  // namespace tune::live
