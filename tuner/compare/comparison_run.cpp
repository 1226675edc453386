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
#include "tuner/compare/own_test.h"
#include "tuner/compare/test_images.h"
#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/engine/loop/spending.h"
#include "tuner/engine/loop/study_facts.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/file_lock.h"
#include "tuner/os/sha256.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

// A share of no budget: more hours than a store will ever see.
constexpr double kNoBudgetHours = 1e9;

FileLock lock_comparison(const fs::path& folder, const std::string& name) {
  std::string holder;
  auto lock = FileLock::try_once(folder / "lock", holder);
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
std::string forecast_text(const Json& total) {
  const double hours = total.at("device_hours");
  std::string text = total.at("bound").get<std::string>();
  text += (text.empty() ? "" : " ") +
          format_duration(Milliseconds(static_cast<std::int64_t>(hours * 3600e3))) + " of device time";
  if (!total.contains("usd")) return text;
  char usd[32];
  std::snprintf(usd, sizeof usd, ", $%.2f", total["usd"].get<double>());
  return text + usd;
}

// nullopt where programs of their own train every approach.
std::optional<engine::BuiltinTrainer> find_trainer(const Comparison& comparison) {
  if (!needs_builtin_trainer(comparison)) return std::nullopt;
  return engine::find_builtin_trainer();
}

bool is_file_with(const fs::path& file, const std::string& sha256) {
  return fs::exists(file) && sha256_of_file(file) == sha256;
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
    for (const fs::path& folder : {store_folder_, store_folder_ / "comparisons", folder_})
      engine::make_private_folder(folder);
    const FileLock lock = lock_comparison(folder_, comparison_.name);
    if (const auto warning = engine::network_warning(store_folder_)) hooks_.notice(*warning);
    take_up_raised_budget();
    store::ComparisonStore record(folder_ / "comparison.db", store::OpenMode::kCreate);
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
    const fs::path file = folder_ / "comparison.db";
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
    const auto add_forecast = [&](std::size_t i, const Json& probe) {
      facts_.forecast.update(forecast_approach(comparison_, i, probe, description(), machine));
    };
    if (facts_.probes.is_null()) facts_.probes = Json::object();
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
    const Json predicting =
        forecast_predicting(comparison_, facts_.forecast, facts_.probes, name,
                            facts_.audit ? static_cast<double>(facts_.audit->test_images) : 0.0);
    facts_.forecast_predicting = predicting;
    record.update_facts(store::to_json(facts_));
    const double probing = billing::comparison_probing_seconds(facts_.probes);
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
    if (role == StudyRole::kTuned || role == StudyRole::kRandomTuned) set_aside_if_other(name, spec);
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
    if (const Json known = facts_.probes_of(comparison_.approaches[approach].name); known.is_object())
      run.known_probes = known.get<store::Probes>();
    if (share && !facts_.had_budget) {
      facts_.had_budget = true;
      record.update_facts(store::to_json(facts_));
    }
    // A share that the study was given before would else stay in force where the budget is gone.
    if (facts_.had_budget)
      run.overrides.gpu_hours =
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
    for (const store::FrozenModel& model : models) printed_score_of(model);
  }
  double printed_score_of(const store::FrozenModel& model) const {
    const std::string& metric = comparison_.own_test->metric;
    const auto study = ledger_.study_store(model.study);
    const auto score = study ? printed_score(*study, model.trial, metric) : std::nullopt;
    if (score) return *score;
    const std::string trial = model.study + "/" + std::to_string(model.trial);
    throw Error(ExitCode::kEnvironment,
                "the trial " + trial + " has printed no finite value of \"" + metric +
                    "\", which \"test\" compares the models by",
                "`tune logs " + trial +
                    "` shows what it printed; a trainer that cannot test its model should "
                    "fail. Mend it, and begin under another name in \"comparison\"");
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
    end.whole_trainings = engine::whole_trainings(study->trials(), study->attempts());
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
    const bool is_search = role == StudyRole::kSearch || role == StudyRole::kRandom;
    for (const store::TrialRow& trial : study->trials()) {
      if (trial.state != TrialState::kCompleted || trial.values.empty()) continue;
      if (is_search && trial.number != best->number) continue;
      const fs::path output = attempt_folder(store_folder_ / name, {trial.number, trial.attempts}) / "output";
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
    constexpr StudyRole kRoles[] = {StudyRole::kDefaults, StudyRole::kSearch, StudyRole::kTuned,
                                    StudyRole::kRandom, StudyRole::kRandomTuned};
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
      for (const StudyRole role : kRoles) collect(i, role, models);
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
    engine::make_private_folder(folder);
    const Json result =
        images_ ? score_on_images(record, number, folder) : test_models(record, number, folder);
    crash_point("scored");
    record.end_scoring(number, result, clock_.wall_now());
    crash_point("scoring_recorded");
  }

  // What a scoring has of each model so far, by its number.
  static std::map<int, store::Prediction> predictions_of(const store::ComparisonStore& record, int number) {
    std::map<int, store::Prediction> done;
    for (store::Prediction& prediction : record.predictions(number))
      done[prediction.model] = std::move(prediction);
    return done;
  }
  void say_whose_turn(const store::FrozenModel& model, std::size_t models) const {
    hooks_.notice("model " + std::to_string(model.number) + " of " + std::to_string(models) + ": " +
                  model.study + "/" + std::to_string(model.trial));
  }

  Json score_on_images(store::ComparisonStore& record, int number, const fs::path& folder) {
    std::map<int, store::Prediction> done = predictions_of(record, number);
    std::vector<fs::path> files;
    const std::vector<store::FrozenModel> models = record.models();
    for (const store::FrozenModel& model : models) {
      files.push_back(folder / ("model-" + std::to_string(model.number) + ".json"));
      if (done.contains(model.number) && is_file_with(files.back(), done[model.number].sha256)) continue;
      say_whose_turn(model, models.size());
      require_unchanged(model);
      const TestImages::Predicted made = images_->predict(store_folder_ / model.folder, files.back());
      crash_point("prediction_made");
      record.insert_prediction(number,
                               {model.number, sha256_of_file(files.back()), made.seconds, made.facts});
      crash_point("prediction_recorded");
    }
    require_test_images();
    crash_point("before_scoring");
    return images_->score(files, groups_file(), store_folder_ / models.front().folder, folder / "images");
  }

  // {"metric", "goal", "results": [{"score"}, ...]}, the models by number.
  Json test_models(store::ComparisonStore& record, int number, const fs::path& folder) {
    std::map<int, store::Prediction> done = predictions_of(record, number);
    Json results = Json::array();
    const std::vector<store::FrozenModel> models = record.models();
    for (const store::FrozenModel& model : models) {
      if (!needs_models()) {
        results.push_back({{"score", printed_score_of(model)}});
        continue;
      }
      if (!done.contains(model.number)) {
        say_whose_turn(model, models.size());
        require_unchanged(model);
        const fs::path log = folder / ("model-" + std::to_string(model.number) + ".log");
        const TestProgram::Tested made = program_->test(store_folder_ / model.folder, log);
        crash_point("prediction_made");
        done[model.number] = {model.number, sha256_of_file(log), made.seconds, {{"score", made.score}}};
        record.insert_prediction(number, done[model.number]);
        crash_point("prediction_recorded");
      }
      results.push_back({{"score", done[model.number].facts.at("score")}});
    }
    crash_point("before_scoring");
    return {{"schema", 1},
            {"metric", comparison_.own_test->metric},
            {"goal", goal_text(comparison_.own_test->goal)},
            {"results", results}};
  }

  void require_unchanged(const store::FrozenModel& model) const {
    if (fingerprint_of_folder(store_folder_ / model.folder) == model.fingerprint) return;
    throw Error(ExitCode::kConflict,
                (store_folder_ / model.folder).string() + " has changed since the models were frozen",
                "restore it, or begin another comparison under another name");
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

fs::path comparison_folder(const fs::path& store, const std::string& name) {
  return store / "comparisons" / name;
}

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
