#include "tuner/report/numbers/study_rows.h"

#include <algorithm>

#include "tuner/billing/neighbours.h"
#include "tuner/core/error.h"
#include "tuner/core/metric_names.h"
#include "tuner/report/numbers/bill.h"
#include "tuner/report/numbers/replicated.h"
#include "tuner/spec/spec.h"

namespace tune::report {
namespace {

// What only the language of specs can tell of the rows. They are all here, so that the pass costs little.
void require_rows_of_spec(const StudyRows& rows, const store::StudyStore& store) {
  const std::string& file = store.file();
  try {
    limits_from_json(rows.study.limits);
  } catch (const std::exception& problem) {
    throw DamagedFile(file + ": the study's limits are damaged: " + problem.what());
  }
  const int last = static_cast<int>(rows.trials.size());
  const auto require_trial = [&](int trial, const char* what) {
    // A study that runs may have begun a trial since its trials were read.
    if (trial < 1 || (trial > last && trial > store.trial_count()))
      throw DamagedFile(file + ": " + what + " belongs to trial " + std::to_string(trial) +
                        ", which is not there");
  };
  for (const store::AttemptRow& attempt : rows.attempts) require_trial(attempt.trial, "an attempt");
  for (const auto& [attempt, seconds] : rows.validation_seconds) require_trial(attempt.first, "a value");
  for (const LastValues& values : rows.others)
    for (const auto& [trial, value] : values.by_trial) require_trial(trial, "a value");
  if (rows.trials.empty() || !is_text_of_study(rows.study)) return;
  const std::optional<SearchSpace> space = stored_space(rows.study);
  if (!space) return;
  for (const store::TrialRow& trial : rows.trials)
    if (const auto objection = space->objection(trial.parameters);
        objection && store::is_bound_to_space(rows.study.facts, trial))
      throw DamagedFile(file + ": the parameters of trial " + std::to_string(trial.number) +
                        " are damaged: " + *objection);
}

}  // namespace

bool is_text_of_study(const store::StudyRow& study) {
  const bool has_nul = study.spec_text.find('\0') != std::string::npos;  // where the parser would end
  return !has_nul && Json::parse(study.spec_text, nullptr, /*allow_exceptions=*/false) == study.spec;
}

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
  rows.is_stopping = rows.study.state == store::StudyState::kRunning && store.is_draining();
  require_rows_of_spec(rows, store);
  return rows;
}

std::vector<std::string> other_metrics(const store::StudyRow& study) {
  std::vector<std::string> names;
  const auto metrics = study.spec.is_object() ? study.spec.find("metrics") : study.spec.end();
  if (metrics == study.spec.end() || !metrics->is_array()) return names;
  for (const Json& metric : *metrics) {
    const std::string name = metric.is_object() ? metric.value("name", std::string()) : std::string();
    const bool is_second = study.second && name == study.second->metric;
    if (!name.empty() && name != study.objective.metric && !is_second) names.push_back(name);
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

SearchedTrials searched_trials(const StudyRows& rows) {
  const std::int64_t searched = count_searched(rows.trials);
  const auto limit = rows.study.limits.find("trials");
  if (limit == rows.study.limits.end()) return {searched, 0, std::nullopt};
  const std::int64_t enqueued =
      std::count_if(rows.trials.begin(), rows.trials.end(),
                    [](const store::TrialRow& trial) { return trial.facts.is_enqueued(); });
  const auto most = limit->get<std::int64_t>();
  const std::int64_t beyond = std::clamp<std::int64_t>(searched - most, 0, enqueued);
  return {searched - beyond, beyond, most};
}

TrialCounts count_trials(const std::vector<store::TrialRow>& trials) {
  TrialCounts counts;
  for (const auto& trial : trials) ++(trial.facts.deleted ? counts.deleted : counts.by_state[trial.state]);
  return counts;
}

}  // namespace tune::report
