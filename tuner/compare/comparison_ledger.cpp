#include "tuner/compare/comparison_ledger.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "tuner/billing/device_shares.h"
#include "tuner/billing/neighbours.h"
#include "tuner/compare/comparison_budget.h"
#include "tuner/compare/comparison_round.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/loop/spending.h"

namespace tune::compare {

namespace fs = std::filesystem;

int whole_trainings(const std::vector<store::TrialRow>& trials,
                    const std::vector<store::AttemptRow>& attempts) {
  const std::vector<double> shares = billing::device_shares(attempts);
  std::map<int, double> by_trial;
  double all = 0, completed = 0;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    by_trial[attempts[i].trial] += shares[i];
    all += shares[i];
  }
  int count = 0;
  for (const store::TrialRow& trial : trials) {
    if (trial.state != TrialState::kCompleted) continue;
    completed += by_trial[trial.number];
    ++count;
  }
  const auto most = static_cast<double>(trials.size());
  if (completed <= 0) return static_cast<int>(trials.size());
  return static_cast<int>(std::min(most, std::ceil(all / completed * count)));
}

std::optional<store::StudyStore> ComparisonLedger::study_store(const std::string& study) const {
  const fs::path file = study_database(store_folder_ / study);
  if (!fs::exists(file)) return std::nullopt;
  return store::StudyStore(file, store::OpenMode::kRead);
}

double ComparisonLedger::budget_seconds(const Limits& budget) const {
  const auto found = engine::device_budget(budget, comparison_.usd_per_hour);
  return found ? found->seconds : HUGE_VAL;
}

bool ComparisonLedger::has_more_budget_than(const Json& stored) const {
  const Json limits = stored.value("limits", Json::object());
  Limits before;
  if (limits.contains("gpu_hours")) before.gpu_hours = limits["gpu_hours"].get<double>();
  if (limits.contains("cost_usd")) before.cost_usd = limits["cost_usd"].get<double>();
  return budget_seconds(comparison_.budget) > budget_seconds(before);
}

double ComparisonLedger::spent_beside(const std::string& name) const {
  double seconds = billing::probing_seconds(facts_.probes);
  for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
    for (const StudyRole role : study_roles(comparison_, i))
      if (const std::string other = study_name(comparison_, i, role); other != name)
        seconds += spent_by(other);
  const fs::path aside = studies_set_aside(comparison_folder({}, comparison_.name));
  std::error_code none;
  for (fs::directory_iterator at(store_folder_ / aside, none), end; !none && at != end; at.increment(none))
    seconds += spent_by((aside / at->path().filename()).string());
  return seconds + facts_.scoring_seconds_before.value_or(0);
}

double ComparisonLedger::spent_by(const std::string& name) const {
  const auto study = study_store(name);
  if (!study) return 0;
  double seconds = 0;
  const std::vector<store::AttemptRow> attempts = study->attempts();
  const auto beside = billing::may_share_gpus(study->study())
                          ? billing::attempts_beside(store_folder_, name, attempts, clock_.wall_now())
                          : std::vector<store::AttemptRow>();
  for (const double share : billing::device_shares(attempts, beside)) seconds += share;
  return seconds;
}

std::optional<double> ComparisonLedger::share_of_budget(const std::string& name) const {
  const auto budget = engine::device_budget(comparison_.budget, comparison_.usd_per_hour);
  if (!budget) return std::nullopt;
  std::vector<StudyNeed> needs = study_needs(comparison_, facts_.forecast);
  const auto own =
      std::find_if(needs.begin(), needs.end(), [&](const StudyNeed& need) { return need.study == name; });
  TUNE_CHECK(own != needs.end(), name);
  const auto index = static_cast<std::size_t>(own - needs.begin());
  const double left = budget->seconds - spent_beside(name);
  std::vector<double> seconds_of_run;
  for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
    seconds_of_run.push_back(comparison_.approaches[i].is_program ? trial_seconds(i, name) : 0);
  // Another program is a better guess than none.
  const double like_others = *std::max_element(seconds_of_run.begin(), seconds_of_run.end());
  for (double& seconds : seconds_of_run)
    if (seconds == 0) seconds = like_others;
  add_unmeasured(comparison_, seconds_of_run, index, left, needs);
  // In another round those that come later have begun already.
  if (facts_.budget_was_raised)
    for (auto later = own + 1; later != needs.end(); ++later) {
      const double spent = spent_by(later->study), of_fixed = std::min(spent, later->fixed);
      later->fixed -= of_fixed;
      later->elastic = std::max(0.0, later->elastic - (spent - of_fixed));
    }
  const double hours_of_predicting =
      facts_.forecast_predicting ? facts_.forecast_predicting->device_hours.value_or(0) : 0;
  return budget_share(needs, index, left, hours_of_predicting * 3600);
}

double ComparisonLedger::trial_seconds(std::size_t approach, const std::string& name) const {
  double completed = 0, seconds = 0;
  for (const StudyRole role : study_roles(comparison_, approach)) {
    const auto study = study_store(study_name(comparison_, approach, role));
    if (!study) continue;
    const std::vector<store::AttemptRow> attempts = study->attempts();
    const std::vector<double> shares = billing::device_shares(attempts);
    for (const store::TrialRow& trial : study->trials()) {
      if (trial.state != TrialState::kCompleted) continue;
      ++completed;
      for (std::size_t i = 0; i < attempts.size(); ++i)
        if (attempts[i].trial == trial.number) seconds += shares[i];
    }
  }
  if (completed > 0) return seconds / completed;
  return facts_.forecast_of(name).device_seconds_per_trial.value_or(0);
}

}  // namespace tune::compare
