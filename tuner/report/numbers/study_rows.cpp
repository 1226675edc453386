#include "tuner/report/numbers/study_rows.h"

#include "tuner/billing/neighbours.h"
#include "tuner/report/numbers/bill.h"
#include "tuner/spec/spec.h"

namespace tune::report {

StudyRows read_study(const store::StudyStore& store) {
  StudyRows rows{store.study(),         store.trials(),
                 store.attempts(),      {},
                 store.running_times(), store.metric_sums(kValidationSeconds)};
  for (const std::string& name : other_metrics(rows.study)) {
    LastValues& values = rows.others.emplace_back();
    values.metric = name;
    for (const auto& [trial, point] : store.last_points(name)) values.by_trial[trial] = point.value;
  }
  for (const auto& trial : rows.trials) {
    if (trial.state != TrialState::kRunning) continue;
    const std::vector<MetricPoint> curve = store.curve(trial.number, rows.study.objective.metric);
    if (!curve.empty()) rows.latest[trial.number] = curve.back();
  }
  return rows;
}

std::vector<std::string> other_metrics(const store::StudyRow& study) {
  std::vector<std::string> names;
  const auto metrics = study.spec.is_object() ? study.spec.find("metrics") : study.spec.end();
  if (metrics == study.spec.end() || !metrics->is_array()) return names;
  for (const Json& metric : *metrics) {
    const std::string name = metric.is_object() ? metric.value("name", std::string()) : std::string();
    if (!name.empty() && name != study.objective.metric) names.push_back(name);
  }
  return names;
}

std::optional<SearchSpace> stored_space(const store::StudyRow& study) {
  try {
    // The text, since the order of parameters counts, and without a trainer, since none is started.
    return parse_spec(study.spec_text, "the stored spec of " + study.name, study.folder, SpecUse::kAskTell)
        .space;
  } catch (const SpecError&) {
    return std::nullopt;
  }
}

void share_with_neighbours(StudyRows& rows, const std::filesystem::path& folder) {
  if (!billing::may_share_gpus(rows.study)) return;
  rows.neighbours =
      billing::attempts_beside(folder, rows.study.name, rows.attempts, SystemClock().wall_now());
}

CostReport costs_of(const StudyRows& rows) {
  return CostReport(rows.trials, rows.attempts, usd_per_hour(rows.study), rows.neighbours);
}

ParameterSet fixed_values(const store::StudyRow& study) {
  const auto fixed = study.spec.find("fixed");
  return fixed != study.spec.end() && fixed->is_object() ? fixed->get<ParameterSet>() : ParameterSet{};
}

std::map<TrialState, int> count_states(const std::vector<store::TrialRow>& trials) {
  std::map<TrialState, int> counts;
  for (const auto& trial : trials) ++counts[trial.state];
  return counts;
}

}  // namespace tune::report
