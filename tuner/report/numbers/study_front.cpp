#include "tuner/report/numbers/study_front.h"

#include <algorithm>
#include <cmath>

namespace tune::report {

bool StudyFront::has(int trial) const {
  return std::any_of(trials.begin(), trials.end(), [&](const auto& row) { return row.number == trial; });
}

std::optional<StudyFront> study_front(const StudyRows& rows) {
  if (!rows.study.second) return std::nullopt;
  StudyFront front{{rows.study.objective, *rows.study.second}, {}, {}, {}};
  std::vector<const store::TrialRow*> completed;
  std::vector<LossPair> points;
  for (const store::TrialRow& trial : rows.trials) {
    if (trial.facts.rerun_of || trial.state != TrialState::kCompleted || trial.values.size() != 2) continue;
    if (!std::isfinite(trial.values[0]) || !std::isfinite(trial.values[1])) continue;
    completed.push_back(&trial);
    points.push_back(loss_pair(trial.values, front.objectives[0], front.objectives[1]));
  }
  std::vector<std::vector<double>> values;
  for (const std::size_t i : front_of(points)) {
    front.trials.push_back(*completed[i]);
    values.push_back(completed[i]->values);
  }
  front.preference = preference_in(rows.study.spec, front.objectives);
  if (front.preference && !values.empty())
    front.preferred = PreferredOrder(*front.preference, front.objectives, values).chosen();
  return front;
}

}  // namespace tune::report
