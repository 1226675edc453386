#include "tuner/compare/comparison_training.h"

#include <algorithm>
#include <cmath>

#include "tuner/compare/comparison_round.h"
#include "tuner/compare/comparison_scoring.h"
#include "tuner/compare/test_images.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/os/crash_point.h"

namespace tune::compare {
namespace {

// A share of no budget: more hours than a store will ever see.
constexpr double kNoBudgetHours = 1e9;

// Whether it has ended at its share of the budget.
bool is_cut(const store::StudyRow& row, const Spec& spec) {
  return store::study_end_in(row.finish_reason) == store::StudyEnd::kDeviceTimeLimit &&
         row.limits.value("gpu_hours", HUGE_VAL) < spec.limits.gpu_hours.value_or(HUGE_VAL);
}

// The comparison itself tells of its end and of its budget.
std::vector<Notification> notified_of_best(std::vector<Notification> notify) {
  std::erase_if(notify, [](Notification& one) {
    std::erase_if(one.on, [](NotifyOn on) { return on != NotifyOn::kBest; });
    return one.on.empty();
  });
  return notify;
}

}  // namespace

std::vector<store::FrozenModel> completed_models(const std::filesystem::path& store,
                                                 const Comparison& comparison, const ComparisonLedger& ledger,
                                                 std::size_t approach, StudyRole role) {
  std::vector<store::FrozenModel> models;
  const std::string name = study_name(comparison, approach, role);
  const auto study = ledger.study_store(name);
  if (!study) return models;
  // What the trials have printed is not read off their models again.
  const bool needs_models = !comparison.own_test || !comparison.own_test->command.empty();
  const History history = study->load_history();
  const TrialView* best = history.best();
  for (const store::TrialRow& trial : study->trials()) {
    if (trial.state != TrialState::kCompleted || trial.values.empty()) continue;
    if (is_search(role) && trial.number != best->number) continue;
    const std::filesystem::path output =
        attempt_folder(store / name, {trial.number, trial.attempts}) / kOutputFolder;
    models.push_back({0, comparison.approaches[approach].name, to_string(role), name, trial.number,
                      trial.values.front(), output.lexically_relative(store).generic_string(),
                      needs_models ? fingerprint_of_folder(output) : std::string()});
  }
  return models;
}

void ComparisonTraining::train(std::size_t approach) {
  const auto run = [&](StudyRole role, std::optional<int> trials, const ParameterSet& winner = {}) {
    return run_role(approach, role, trials, winner);
  };
  if (!parts_.comparison.approaches[approach].has_search) {
    run(StudyRole::kDefaults, parts_.comparison.seeds);
    return;
  }
  SearchEnd search, random;
  if (run(StudyRole::kSearch, {})) search = search_end(approach, StudyRole::kSearch);
  run(StudyRole::kDefaults, parts_.comparison.best_of_seeds
                                ? std::max(parts_.comparison.seeds, search.whole_trainings)
                                : parts_.comparison.seeds);
  if (search.winner) run(StudyRole::kTuned, parts_.comparison.seeds, *search.winner);
  if (!parts_.comparison.random_search || search.trials == 0) return;
  if (run(StudyRole::kRandom, search.trials)) random = search_end(approach, StudyRole::kRandom);
  if (random.winner) run(StudyRole::kRandomTuned, parts_.comparison.seeds, *random.winner);
}

bool ComparisonTraining::is_done(const Spec& spec) const {
  try {
    const auto study = parts_.ledger.study_store(spec.study);
    if (!study) return false;
    const store::StudyRow row = study->study();
    return row.state == store::StudyState::kFinished && spec_difference(row.spec, spec.document).empty();
  } catch (const Error&) {
    return false;  // opening it for writing says what is wrong, or mends it
  }
}

void ComparisonTraining::record_for_lack_of_budget(std::map<std::string, std::string>& cut,
                                                   const std::string& study, const std::string& what) {
  cut[study] = what;
  parts_.record.update_facts(store::to_json(parts_.facts));
  parts_.hooks.notice("for lack of budget: " + study + ": " + what);
  parts_.notices.tell(parts_.record, {NotifyOn::kBudget,
                                      "budget:" + study,
                                      parts_.comparison.name + ": for lack of budget: " + study + ": " + what,
                                      {{"limits", limits_json(parts_.comparison.budget)}, {"study", study}}});
}

bool ComparisonTraining::run_role(std::size_t approach, StudyRole role, std::optional<int> trials,
                                  const ParameterSet& winner) {
  Spec spec =
      study_spec(parts_.comparison, study_spec_document(parts_.comparison, approach, role, trials, winner));
  const std::string name = spec.study;
  if (is_trained_anew(role)) set_aside_if_other(name, spec);
  const std::optional<double> share = parts_.ledger.share_of_budget(name);
  if (is_done(spec) && !take_up_cut(name, spec, share)) {
    parts_.facts.not_begun.erase(name);  // the run that began it may have died before this was kept
    note_cut(name, spec);
    return true;
  }
  if (share && (*share <= 0 ||
                (!parts_.ledger.study_store(name) && *share < parts_.ledger.trial_seconds(approach, name)))) {
    record_for_lack_of_budget(parts_.facts.not_begun, name,
                              "not begun, as what is left for it does not pay for one of its trials");
    return false;
  }
  // An earlier run of the comparison may have had less for it.
  parts_.facts.not_begun.erase(name);
  parts_.hooks.begin_study(name);
  engine::RunRequest run;
  run.store = parts_.store;
  run.spec_file = spec.file;
  run.spec_text = spec.text;
  run.spec = spec;
  run.spec.limits.on_trial_time = OnTrialTime::kFail;  // what was cut short left no whole model to compare
  // The file's word on what is told is not the study's own: another word is not another study.
  if (role == StudyRole::kSearch) run.spec.notify = notified_of_best(parts_.comparison.notify);
  run.version = parts_.version;
  run.known_probes = parts_.facts.probes_of(parts_.comparison.approaches[approach].name);
  if (share && !parts_.facts.had_budget) {
    parts_.facts.had_budget = true;
    parts_.record.update_facts(store::to_json(parts_.facts));
  }
  // A share that the study was given before would else stay in force where the budget is gone.
  if (parts_.facts.had_budget)
    run.overrides.limits.gpu_hours =
        std::min(spec.limits.gpu_hours.value_or(HUGE_VAL), share ? *share / 3600 : kNoBudgetHours);
  const engine::RunReport report =
      engine::run_study(std::move(run), parts_.hooks.study, parts_.clock, parts_.interruption);
  if (report.result.outcome == engine::Outcome::kPaused)
    throw Error(ExitCode::kEnvironment, "the study " + name + " pauses: " + report.result.reason,
                report.result.pause ? report.result.pause->hint : std::string());
  if (report.result.outcome == engine::Outcome::kInterrupted)
    throw Error(ExitCode::kInterrupted, "interrupted");
  crash_point("approach_study_ended");
  require_printed_scores(approach, role);
  note_cut(name, spec);
  return true;
}

void ComparisonTraining::require_printed_scores(std::size_t approach, StudyRole role) const {
  if (!parts_.comparison.own_test || !parts_.comparison.own_test->command.empty()) return;
  for (const store::FrozenModel& model :
       completed_models(parts_.store, parts_.comparison, parts_.ledger, approach, role))
    require_printed_score(parts_.ledger, model, parts_.comparison.own_test->metric);
}

void ComparisonTraining::set_aside_if_other(const std::string& name, const Spec& spec) {
  if (!parts_.facts.budget_was_raised) return;
  {
    const auto study = parts_.ledger.study_store(name);
    if (!study) return;
    const std::vector<SpecChange> changes = spec_changes(study->study().spec, spec.document);
    if (std::all_of(changes.begin(), changes.end(), [](const SpecChange& one) { return one.is_harmless; }))
      return;
  }
  set_study_aside(parts_.store, parts_.comparison.name, name);
  parts_.facts.cut_by_budget.erase(name);
  parts_.hooks.notice("the search has another winner now, so " + name + " begins anew");
}

bool ComparisonTraining::take_up_cut(const std::string& name, const Spec& spec, std::optional<double> share) {
  if (!parts_.facts.budget_was_raised) return false;
  const auto study = parts_.ledger.study_store(name);
  if (!study) return false;
  const store::StudyRow row = study->study();
  if (!is_cut(row, spec) || share.value_or(HUGE_VAL) <= row.limits.value("gpu_hours", 0.0) * 3600)
    return false;
  parts_.facts.cut_by_budget.erase(name);
  parts_.record.update_facts(store::to_json(parts_.facts));
  return true;
}

void ComparisonTraining::note_cut(const std::string& name, const Spec& spec) {
  if (parts_.facts.cut_by_budget.contains(name)) return;
  const auto study = parts_.ledger.study_store(name);
  if (!study || !is_cut(study->study(), spec)) return;
  record_for_lack_of_budget(parts_.facts.cut_by_budget, name,
                            "ended after " + plural_text(study->trial_count(), "trial"));
}

ComparisonTraining::SearchEnd ComparisonTraining::search_end(std::size_t approach, StudyRole role) const {
  const auto study = parts_.ledger.study_store(study_name(parts_.comparison, approach, role));
  TUNE_CHECK(study.has_value());
  SearchEnd end;
  end.trials = study->trial_count();
  end.whole_trainings = whole_trainings(study->trials(), study->attempts());
  const History history = study->load_history();
  if (const TrialView* best = history.best()) end.winner = study->trial(best->number)->parameters;
  return end;
}

}  // namespace tune::compare
