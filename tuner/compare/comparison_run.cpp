#include "tuner/compare/comparison_run.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "store/comparison_store.h"
#include "tuner/billing/device_shares.h"
#include "tuner/compare/comparison_budget.h"
#include "tuner/compare/comparison_forecast.h"
#include "tuner/compare/comparison_keys.h"
#include "tuner/compare/comparison_ledger.h"
#include "tuner/compare/comparison_probes.h"
#include "tuner/compare/comparison_round.h"
#include "tuner/compare/comparison_scoring.h"
#include "tuner/compare/test_images.h"
#include "tuner/compare/test_program.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/engine/loop/spending.h"
#include "tuner/engine/study/run_facts.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/file_lock.h"
#include "tuner/os/file_system.h"
#include "tuner/os/sha256.h"
#include "tuner/report/text/format.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

// A share of no budget: more hours than a store will ever see.
constexpr double kNoBudgetHours = 1e9;

FileLock lock_comparison(const fs::path& folder, const std::string& name) {
  std::string holder;
  auto lock = FileLock::try_once(comparison_lock(folder), holder);
  if (!lock)
    throw Error(ExitCode::kConflict,
                "another tune works on the comparison \"" + name + "\": process " + holder,
                "wait for it, or interrupt it with: kill -INT " + holder);
  return std::move(*lock);
}

// With its approaches by name, so that a difference names the place.
Json by_name(Json document) {
  Json approaches = Json::object();
  for (const Json& approach : document.value("approaches", Json::array()))
    approaches[approach.at("name").get<std::string>()] = approach;
  document["approaches"] = std::move(approaches);
  return document;
}

// The SHA-256 of the file of weights, or of the one in a model's folder; "" for none.
std::string fingerprint_of_weights(const Comparison& comparison, std::size_t approach) {
  const std::string weights = initial_weights(comparison, approach);
  if (weights.empty()) return {};
  const fs::path path = comparison.folder / weights;
  return sha256_of_file(fs::is_directory(path) ? path / "weights.safetensors" : path);
}

// "at most 5h 20m of device time, $16.32"
std::string forecast_text(const ForecastTotal& total) {
  std::string text = total.bound;
  text += (text.empty() ? "" : " ") +
          format_duration(Milliseconds(static_cast<std::int64_t>(total.device_hours * 3600e3))) +
          " of device time";
  return total.usd ? text + ", " + report::usd_text(total.usd) : text;
}

// nullopt where programs of their own train every approach.
std::optional<engine::BuiltinTrainer> find_trainer(const Comparison& comparison) {
  if (!needs_builtin_trainer(comparison)) return std::nullopt;
  return engine::find_builtin_trainer();
}

// One command's worth of a comparison. Lives for one call of run_comparison(), on its thread.
class ComparisonRun {
 public:
  ComparisonRun(const ComparisonRequest& request, const ComparisonHooks& hooks, const Clock& clock,
                engine::Interruption& interruption)
      : store_folder_(fs::absolute(request.store).lexically_normal()),
        trainer_(find_trainer(request.comparison)),
        comparison_(with_task(request.comparison, description())),
        request_(request),
        hooks_(hooks),
        clock_(clock),
        interruption_(interruption),
        folder_(comparison_folder(store_folder_, comparison_.name)) {
    const auto signals = [this] { return interruption_.count.load(); };
    if (comparison_.own_test)
      program_.emplace(comparison_, signals, hooks_.notice);
    else
      images_.emplace(comparison_, *trainer_, signals, hooks_.notice);
  }

  void run() {
    check_comparison(comparison_, description());
    for (const fs::path& folder : {store_folder_, folder_.parent_path(), folder_})
      make_private_folder(folder);
    const FileLock lock = lock_comparison(folder_, comparison_.name);
    if (const auto warning = network_warning(store_folder_)) hooks_.notice(*warning);
    take_up_raised_budget();
    store::ComparisonStore record(comparison_database(folder_), store::OpenMode::kCreate);
    begin(record);
    if (record.models().empty()) {
      look_at_data(record);
      forecast(record);
      begin_training(record);
      for (std::size_t i = 0; i < comparison_.approaches.size(); ++i) train(record, i);
      freeze(record);
    }
    score(record);
  }

 private:
  // What tune-train says of itself; nothing where it trains nothing here.
  Json description() const { return trainer_ ? trainer_->description : Json::object(); }
  fs::path groups_file() const { return folder_ / "groups.json"; }

  // What was frozen and scored stays as it was, and what the budget had ended goes on in another round.
  void take_up_raised_budget() {
    const fs::path file = comparison_database(folder_);
    if (!fs::exists(file)) return;
    std::optional<store::ComparisonRow> row;
    {
      const store::ComparisonStore record(file, store::OpenMode::kCreate);
      row = record.comparison();
      if (!row || record.models().empty()) return;
    }
    if (!store::comparison_facts(row->facts).was_cut() || !ledger_.has_more_budget_than(row->document))
      return;
    refuse_change(row->document, true);
    row->document = comparison_.document;
    row->text = comparison_.text;
    begin_round(folder_, std::move(*row));
    hooks_.notice(
        "the comparison goes on with another budget, and with what the one before had ended; then its models "
        "are frozen and scored again, which is counted");
  }

  // Until something is trained a mended file may take the place of the one that was refused.
  void begin(store::ComparisonStore& record) {
    const auto row = record.comparison();
    const store::ComparisonFacts known = row ? store::comparison_facts(row->facts) : store::ComparisonFacts();
    if (known.training_since) {
      facts_ = known;
      refuse_change(row->document, record.models().empty());
      if (Json(comparison_.document) != row->document) {
        if (ledger_.has_more_budget_than(row->document)) facts_.budget_was_raised = true;
        record.begin({row->name, comparison_.document, comparison_.text, comparison_.folder.string(),
                      row->created, store::to_json(facts_)});
        hooks_.notice("the comparison goes on with another budget");
      }
      return;
    }
    const bool is_same = row && Json(comparison_.document) == row->document;
    if (is_same) facts_ = known;
    if (row && (!is_same || row->facts.empty())) fs::remove(groups_file());
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
      facts_.weights[comparison_.approaches[i].name] = fingerprint_of_weights(comparison_, i);
    if (images_) facts_.task = task_to_json(comparison_.task);
    if (trainer_)
      facts_.trainer = {{"version", trainer_->description.value("version", "")},
                        {"libtorch", trainer_->description.value("libtorch", "")}};
    record.begin({comparison_.name, comparison_.document, comparison_.text, comparison_.folder.string(),
                  clock_.wall_now(), store::to_json(facts_)});
    crash_point("comparison_created");
  }

  // Until something is trained other data may take its place.
  void look_at_data(store::ComparisonStore& record) {
    if (!images_) return;  // what a test of its own reads is not known
    const std::map<std::string, std::string> now = images_->fingerprints();
    if (facts_.training_since) return require_data(now);
    if (facts_.data != now) fs::remove(groups_file());
    if (!fs::exists(groups_file())) facts_.audit = images_->audit(groups_file());
    crash_point("test_images_audited");
    facts_.data = now;
    record.update_facts(store::to_json(facts_));
    crash_point("data_recorded");
  }

  // What earlier versions began has no fingerprints.
  void require_data(const std::map<std::string, std::string>& now) const {
    for (const auto& [data, fingerprint] : facts_.data)
      if (const auto found = now.find(data); found != now.end() && found->second != fingerprint)
        throw Error(
            ExitCode::kConflict,
            "the " + comparison_.task.unit + " in " + data + " have changed since the comparison began",
            "restore them, or begin another comparison under another name");
  }
  void require_test_images() const {
    require_data({{comparison_.test.data, images_->fingerprint(comparison_.test.data)}});
  }

  void begin_training(store::ComparisonStore& record) {
    if (facts_.training_since) return;
    facts_.training_since = format_time(clock_.wall_now());
    record.update_facts(store::to_json(facts_));
    crash_point("training_begun");
  }

  void refuse_change(const Json& stored, bool may_change_budget) const {
    const auto compared = [&](const Json& document) {
      Json kept = by_name(document);
      for (const char* limit : kBudgetLimits)
        if (may_change_budget && kept.contains("limits")) kept["limits"].erase(limit);
      if (kept.contains("limits") && kept["limits"].empty()) kept.erase("limits");
      return kept;
    };
    const std::vector<std::string> lines = spec_difference(compared(stored), compared(comparison_.document));
    if (lines.empty()) return;
    std::string message = "the comparison \"" + comparison_.name + "\" was begun with another file:";
    for (const std::string& line : lines) message += "\n  " + line;
    throw Error(
        ExitCode::kConflict, message,
        "give it another name in \"comparison\": what was scored on the test images stays as it is (a "
        "budget that has ended something may be raised)");
  }

  // Measures each approach that tune-train trains once on this machine; its studies then need not.
  void forecast(store::ComparisonStore& record) {
    const engine::Machine machine = engine::inspect_machine();
    const std::string name = engine::probe_name(machine, comparison_.resources);
    const auto add_forecast = [&](std::size_t i, const std::optional<store::Probe>& probe) {
      for (auto& [study, forecast] : forecast_approach(comparison_, i, probe, description(), machine))
        facts_.forecast[study] = std::move(forecast);
    };
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
      if (comparison_.approaches[i].is_program) add_forecast(i, {});
    if (trainer_) {
      const ProbesRequest request{
          comparison_,  *trainer_, machine, folder_ / "probes", [this] { return interruption_.count.load(); },
          hooks_.notice};
      probe_approaches(request, facts_.probes, [&](std::size_t i) {
        add_forecast(i, facts_.probes[comparison_.approaches[i].name][name]);
        crash_point("approach_measured");
        record.update_facts(store::to_json(facts_));
        crash_point("measurement_recorded");
      });
    }
    const store::CostForecast predicting =
        forecast_predicting(comparison_, facts_.forecast, facts_.probes, name,
                            facts_.audit ? static_cast<double>(facts_.audit->test_images) : 0.0);
    facts_.forecast_predicting = predicting;
    record.update_facts(store::to_json(facts_));
    const double probing = billing::probing_seconds(facts_.probes);
    if (trainer_)
      hooks_.notice("predicted from the probes: " +
                    forecast_text(forecast_total(comparison_, facts_.forecast, predicting, probing)));
    else
      hooks_.notice("how long it takes is not known, as programs of one's own are not measured beforehand");
  }

  bool is_done(const Spec& spec) const {
    try {
      const auto study = ledger_.study_store(spec.study);
      if (!study) return false;
      const store::StudyRow row = study->study();
      return row.state == store::StudyState::kFinished && spec_difference(row.spec, spec.document).empty();
    } catch (const Error&) {
      return false;  // opening it for writing says what is wrong, or mends it
    }
  }

  void record_for_lack_of_budget(store::ComparisonStore& record, std::map<std::string, std::string>& cut,
                                 const std::string& study, const std::string& what) {
    cut[study] = what;
    record.update_facts(store::to_json(facts_));
    hooks_.notice("for lack of budget: " + study + ": " + what);
  }

  // Whether the study ran, or is there.
  bool run_role(store::ComparisonStore& record, std::size_t approach, StudyRole role,
                std::optional<int> trials, const ParameterSet& winner = {}) {
    Spec spec = study_spec(comparison_, study_spec_document(comparison_, approach, role, trials, winner));
    const std::string name = spec.study;
    if (is_trained_anew(role)) set_aside_if_other(name, spec);
    const std::optional<double> share = ledger_.share_of_budget(name);
    if (is_done(spec) && !take_up_cut(record, name, spec, share)) {
      facts_.not_begun.erase(name);  // the run that began it may have died before this was kept
      note_cut(record, name, spec);
      return true;
    }
    if (share &&
        (*share <= 0 || (!ledger_.study_store(name) && *share < ledger_.trial_seconds(approach, name)))) {
      record_for_lack_of_budget(record, facts_.not_begun, name,
                                "not begun, as what is left for it does not pay for one of its trials");
      return false;
    }
    // An earlier run of the comparison may have had less for it.
    facts_.not_begun.erase(name);
    hooks_.begin_study(name);
    engine::RunRequest run;
    run.store = store_folder_;
    run.spec_file = spec.file;
    run.spec_text = spec.text;
    run.spec = spec;
    run.spec.limits.on_trial_time = OnTrialTime::kFail;  // what was cut short left no whole model to compare
    run.version = request_.version;
    run.known_probes = facts_.probes_of(comparison_.approaches[approach].name);
    if (share && !facts_.had_budget) {
      facts_.had_budget = true;
      record.update_facts(store::to_json(facts_));
    }
    // A share that the study was given before would else stay in force where the budget is gone.
    if (facts_.had_budget)
      run.overrides.limits.gpu_hours =
          std::min(spec.limits.gpu_hours.value_or(HUGE_VAL), share ? *share / 3600 : kNoBudgetHours);
    const engine::RunReport report = engine::run_study(std::move(run), hooks_.study, clock_, interruption_);
    if (report.result.outcome == engine::Outcome::kPaused)
      throw Error(ExitCode::kEnvironment, "the study " + name + " pauses: " + report.result.reason,
                  report.result.pause ? report.result.pause->hint : std::string());
    if (report.result.outcome == engine::Outcome::kInterrupted)
      throw Error(ExitCode::kInterrupted, "interrupted");
    crash_point("approach_study_ended");
    require_printed_scores(approach, role);
    note_cut(record, name, spec);
    return true;
  }

  // Sooner than when all training has ended: a trial that did not print the test's metric has no score.
  void require_printed_scores(std::size_t approach, StudyRole role) const {
    if (!comparison_.own_test || !comparison_.own_test->command.empty()) return;
    std::vector<store::FrozenModel> models;
    collect(approach, role, models);
    for (const store::FrozenModel& model : models)
      require_printed_score(ledger_, model, comparison_.own_test->metric);
  }

  // A search that went on has another winner now, and what was made of the one before is no part of the
  // comparison any more.
  void set_aside_if_other(const std::string& name, const Spec& spec) {
    if (!facts_.budget_was_raised) return;
    {
      const auto study = ledger_.study_store(name);
      if (!study) return;
      const std::vector<SpecChange> changes = spec_changes(study->study().spec, spec.document);
      if (std::all_of(changes.begin(), changes.end(), [](const SpecChange& one) { return one.is_harmless; }))
        return;
    }
    set_study_aside(store_folder_, comparison_.name, name);
    facts_.cut_by_budget.erase(name);
    hooks_.notice("the search has another winner now, so " + name + " begins anew");
  }

  // Whether a study that has ended at its share of the budget has more of it now.
  bool take_up_cut(store::ComparisonStore& record, const std::string& name, const Spec& spec,
                   std::optional<double> share) {
    if (!facts_.budget_was_raised) return false;
    const auto study = ledger_.study_store(name);
    if (!study) return false;
    const store::StudyRow row = study->study();
    if (!is_cut(row, spec) || share.value_or(HUGE_VAL) <= row.limits.value("gpu_hours", 0.0) * 3600)
      return false;
    facts_.cut_by_budget.erase(name);
    record.update_facts(store::to_json(facts_));
    return true;
  }

  // Says and records that a study has ended at its share of the budget, not at a limit of its own.
  void note_cut(store::ComparisonStore& record, const std::string& name, const Spec& spec) {
    if (facts_.cut_by_budget.contains(name)) return;
    const auto study = ledger_.study_store(name);
    if (!study || !is_cut(study->study(), spec)) return;
    record_for_lack_of_budget(record, facts_.cut_by_budget, name,
                              "ended after " + plural_text(study->trial_count(), "trial"));
  }
  static bool is_cut(const store::StudyRow& row, const Spec& spec) {
    return store::study_end_in(row.finish_reason) == store::StudyEnd::kDeviceTimeLimit &&
           row.limits.value("gpu_hours", HUGE_VAL) < spec.limits.gpu_hours.value_or(HUGE_VAL);
  }

  struct SearchEnd {
    int trials = 0;
    int whole_trainings = 0;  // that its device time pays for
    std::optional<ParameterSet> winner;
  };
  SearchEnd search_end(std::size_t approach, StudyRole role) const {
    const auto study = ledger_.study_store(study_name(comparison_, approach, role));
    TUNE_CHECK(study.has_value());
    SearchEnd end;
    end.trials = study->trial_count();
    end.whole_trainings = compare::whole_trainings(study->trials(), study->attempts());
    const History history = study->load_history();
    if (const TrialView* best = history.best()) end.winner = study->trial(best->number)->parameters;
    return end;
  }

  void train(store::ComparisonStore& record, std::size_t approach) {
    const auto run = [&](StudyRole role, std::optional<int> trials, const ParameterSet& winner = {}) {
      return run_role(record, approach, role, trials, winner);
    };
    if (!comparison_.approaches[approach].has_search) {
      run(StudyRole::kDefaults, comparison_.seeds);
      return;
    }
    SearchEnd search, random;
    if (run(StudyRole::kSearch, {})) search = search_end(approach, StudyRole::kSearch);
    run(StudyRole::kDefaults,
        comparison_.best_of_seeds ? std::max(comparison_.seeds, search.whole_trainings) : comparison_.seeds);
    if (search.winner) run(StudyRole::kTuned, comparison_.seeds, *search.winner);
    if (!comparison_.random_search || search.trials == 0) return;
    if (run(StudyRole::kRandom, search.trials)) random = search_end(approach, StudyRole::kRandom);
    if (random.winner) run(StudyRole::kRandomTuned, comparison_.seeds, *random.winner);
  }

  // The winner of a search, else every run that completed.
  void collect(std::size_t approach, StudyRole role, std::vector<store::FrozenModel>& models) const {
    const std::string name = study_name(comparison_, approach, role);
    const auto study = ledger_.study_store(name);
    if (!study) return;
    const History history = study->load_history();
    const TrialView* best = history.best();
    for (const store::TrialRow& trial : study->trials()) {
      if (trial.state != TrialState::kCompleted || trial.values.empty()) continue;
      if (is_search(role) && trial.number != best->number) continue;
      const fs::path output =
          attempt_folder(store_folder_ / name, {trial.number, trial.attempts}) / kOutputFolder;
      models.push_back({static_cast<int>(models.size()) + 1, comparison_.approaches[approach].name,
                        to_string(role), name, trial.number, trial.values.front(),
                        output.lexically_relative(store_folder_).generic_string(),
                        needs_models() ? fingerprint_of_folder(output) : std::string()});
    }
  }
  // What the trials have printed is not read off their models again.
  bool needs_models() const { return !comparison_.own_test || !comparison_.own_test->command.empty(); }

  void freeze(store::ComparisonStore& record) {
    std::vector<store::FrozenModel> models;
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
      for (const StudyRole role : kStudyRoles) collect(i, role, models);
    if (models.empty())
      throw Error(ExitCode::kEveryTrialFailed, "no run of any approach has completed",
                  facts_.was_cut()
                      ? "the budget did not pay for one: raise it in the comparison's file, and run the same "
                        "command again"
                      : "`tune trials " + study_name(comparison_, 0, StudyRole::kDefaults) + "` says why");
    crash_point("before_freezing");
    facts_.budget_was_raised = false;
    record.freeze(models, store::to_json(facts_));
    crash_point("models_frozen");
    hooks_.notice(std::to_string(models.size()) + " models are frozen; now they " +
                  (images_ ? "see the test " + comparison_.task.unit : "are tested"));
  }

  void score(store::ComparisonStore& record) {
    const std::vector<store::Scoring> scorings = record.scorings();
    const bool goes_on = !scorings.empty() && !scorings.back().ended;
    if (!scorings.empty() && !goes_on && !request_.score_again) return;
    if (images_) require_test_images();
    const int number = goes_on ? scorings.back().number : record.begin_scoring(clock_.wall_now());
    const fs::path folder = folder_ / "scorings" / std::to_string(number);
    crash_point("scoring_begun");
    make_private_folder(folder);
    const ComparisonScoring scoring(record, number, store_folder_, folder, hooks_.notice);
    const Json result =
        images_ ? score_on_images(scoring) : scoring.test(*comparison_.own_test, *program_, ledger_);
    crash_point("scored");
    record.end_scoring(number, result, clock_.wall_now());
    crash_point("scoring_recorded");
  }

  Json score_on_images(const ComparisonScoring& scoring) const {
    const std::vector<fs::path> detections = scoring.predict(*images_);
    require_test_images();
    crash_point("before_scoring");
    return scoring.score(*images_, detections, groups_file());
  }

  const fs::path store_folder_;
  const std::optional<engine::BuiltinTrainer> trainer_;
  const Comparison comparison_;
  const ComparisonRequest& request_;
  const ComparisonHooks& hooks_;
  const Clock& clock_;
  engine::Interruption& interruption_;
  const fs::path folder_;
  std::optional<TestImages> images_;    // either these,
  std::optional<TestProgram> program_;  // or this
  store::ComparisonFacts facts_;
  const ComparisonLedger ledger_{store_folder_, comparison_, facts_, clock_};
};

}  // namespace

bool run_comparison(const ComparisonRequest& request, const ComparisonHooks& hooks, const Clock& clock,
                    engine::Interruption& interruption) {
  try {
    ComparisonRun(request, hooks, clock, interruption).run();
    return true;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kInterrupted) throw;
    return false;
  }
}

}  // namespace tune::compare
