// The rows that a report is made of, and how many trials are in which state.
#include "tuner/billing/neighbours.h"
#include "tuner/report/numbers/bill.h"
#include "tuner/report/numbers/study_report.h"
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

std::string counts_text(const std::map<TrialState, int>& counts) {
  std::string text;
  for (const TrialState state : {TrialState::kRunning, TrialState::kQueued, TrialState::kPaused,
                                 TrialState::kCompleted, TrialState::kStopped, TrialState::kFailed}) {
    const auto found = counts.find(state);
    if (found == counts.end() || found->second == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(found->second) + ' ' + to_string(state);
  }
  return text.empty() ? "no trials yet" : text;
}

std::string leak_warning(const store::StudyRow& study) {
  const auto trainer = study.spec.find("trainer");
  if (trainer == study.spec.end() || !trainer->is_object() || trainer->contains("validation") ||
      !trainer->contains("data"))
    return {};
  const Json split = trainer->value("split", Json::object());
  if (split.is_object() && split.value("grouping", "image") != "image") return {};
  // Only the trainer knows whether the data has parts of its own, which an explicit split contradicts.
  const bool is_cut = split.is_object() && (split.contains("fractions") || split.contains("grouping"));
  return study.objective.metric +
         " may leak: " + (is_cut ? "the data" : "data that brings no part of its own to validate on") +
         " is split image by image, so crops of one surface may be on both sides; "
         "\"grouping\": \"content\" in trainer.split keeps them on one";
}

}  // namespace tune::report
