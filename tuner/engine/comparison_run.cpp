#include "tuner/engine/comparison_run.h"

#include <algorithm>
#include <map>

#include "store/comparison_store.h"
#include "tuner/core/error.h"
#include "tuner/core/sha256.h"
#include "tuner/engine/attempt_plan.h"
#include "tuner/engine/comparison_forecast.h"
#include "tuner/engine/comparison_scoring.h"
#include "tuner/engine/crash_point.h"
#include "tuner/engine/file_lock.h"
#include "tuner/engine/spending.h"
#include "tuner/engine/study_facts.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

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
  for (const Json& approach : document.at("approaches"))
    approaches[approach.at("name").get<std::string>()] = approach;
  document["approaches"] = std::move(approaches);
  return document;
}

// Of a file, or of what a model's folder holds; "" for none.
std::string fingerprint_of_weights(const Comparison& comparison, std::size_t approach) {
  const std::string weights = initial_weights(comparison, approach);
  if (weights.empty()) return {};
  const fs::path path = comparison.folder / weights;
  return sha256_of_file(fs::is_directory(path) ? path / "weights.safetensors" : path);
}

bool is_file_with(const fs::path& file, const std::string& sha256) {
  return fs::exists(file) && sha256_of_file(file) == sha256;
}

// One command's worth of a comparison. Lives for one call of run_comparison(), on its thread.
class ComparisonRun {
 public:
  ComparisonRun(const ComparisonRequest& request, const ComparisonHooks& hooks, const Clock& clock,
                Interruption& interruption)
      : store_folder_(fs::absolute(request.store).lexically_normal()),
        comparison_(request.comparison),
        request_(request),
        hooks_(hooks),
        clock_(clock),
        interruption_(interruption),
        folder_(comparison_folder(store_folder_, comparison_.name)),
        trainer_(find_builtin_trainer()),
        test_(
            comparison_, trainer_, [this] { return interruption_.count.load(); }, hooks_.notice) {}

  void run() {
    check_comparison(comparison_, trainer_.description);
    for (const fs::path& folder : {store_folder_, store_folder_ / "comparisons", folder_})
      make_private_folder(folder);
    const FileLock lock = lock_comparison(folder_, comparison_.name);
    store::ComparisonStore record(folder_ / "comparison.db", store::OpenMode::kCreate);
    begin(record);
    if (record.models().empty()) {
      look_at_data(record);
      forecast(record);
      begin_training(record);
      for (std::size_t i = 0; i < comparison_.approaches.size(); ++i) train(i);
      freeze(record);
    }
    score(record);
  }

 private:
  fs::path groups_file() const { return folder_ / "groups.json"; }

  // Until something is trained a mended file may take the place of the one that was refused.
  void begin(store::ComparisonStore& record) {
    const auto row = record.comparison();
    if (row && row->facts.contains("training_since")) {
      facts_ = row->facts;
      refuse_change(row->document);
      return;
    }
    if (row && Json(comparison_.document) == row->document) facts_ = row->facts;
    if (row && facts_.empty()) fs::remove(groups_file());
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
      facts_["weights"][comparison_.approaches[i].name] = fingerprint_of_weights(comparison_, i);
    facts_["trainer"] = {{"version", trainer_.description.value("version", "")},
                         {"libtorch", trainer_.description.value("libtorch", "")}};
    record.begin({comparison_.name, comparison_.document, comparison_.text, comparison_.folder.string(),
                  clock_.wall_now(), facts_});
    crash_point("comparison_created");
  }

  // Until something is trained other data may take its place.
  void look_at_data(store::ComparisonStore& record) {
    const Json now = test_.fingerprints();
    if (facts_.contains("training_since")) return require_data(now);
    if (facts_.value("data", Json()) != now) fs::remove(groups_file());
    test_.audit(groups_file());
    crash_point("test_images_audited");
    facts_["data"] = now;
    record.update_facts(facts_);
    crash_point("data_recorded");
  }

  // What earlier versions began has no fingerprints.
  void require_data(const Json& now) const {
    const Json began = facts_.value("data", Json::object());
    for (const auto& [data, fingerprint] : began.items())
      if (now.contains(data) && now[data] != fingerprint)
        throw Error(ExitCode::kConflict, "the images in " + data + " have changed since the comparison began",
                    "restore them, or begin another comparison under another name");
  }
  void require_test_images() const {
    Json now = Json::object();
    now[comparison_.test.data] = test_.fingerprint(comparison_.test.data);
    require_data(now);
  }

  void begin_training(store::ComparisonStore& record) {
    if (facts_.contains("training_since")) return;
    facts_["training_since"] = format_time(clock_.wall_now());
    record.update_facts(facts_);
    crash_point("training_begun");
  }

  void refuse_change(const Json& stored) const {
    const std::vector<std::string> lines = spec_difference(by_name(stored), by_name(comparison_.document));
    if (lines.empty()) return;
    std::string message = "the comparison \"" + comparison_.name + "\" was begun with another file:";
    for (const std::string& line : lines) message += "\n  " + line;
    throw Error(ExitCode::kConflict, message,
                "give it another name in \"comparison\": what was scored on the test images stays as it is");
  }

  // Approaches on one network are trained in one precision: else the noise of two probes would be a
  // difference between them.
  void share_precision(std::size_t approach, const std::string& probe, Json& answer) const {
    const auto model = [&](std::size_t i) {
      return study_document(comparison_, i, StudyRole::kDefaults, 1).at("trainer").value("model", "");
    };
    for (std::size_t i = 0; i < approach; ++i) {
      const Json earlier =
          facts_.at("probes").value(comparison_.approaches[i].name, Json::object()).value(probe, Json());
      if (earlier.is_object() && model(i) == model(approach)) answer["precision"] = earlier.at("precision");
    }
  }

  // Measures each approach once on this machine; its studies then need not.
  void forecast(store::ComparisonStore& record) {
    const Machine machine = inspect_machine();
    const std::string name = probe_name(machine, comparison_.resources);
    double hours = 0;
    bool is_known = true, at_most = false;
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i) {
      Json& probes = facts_["probes"][comparison_.approaches[i].name];
      if (!probes.contains(name)) {
        Json answer = probe(i);
        if (answer.is_null()) throw Error(ExitCode::kInterrupted, "interrupted");
        share_precision(i, name, answer);
        probes[name] = std::move(answer);
        const Json forecast = forecast_approach(comparison_, i, probes[name], trainer_.description, machine);
        facts_["forecast"].update(forecast);
        crash_point("approach_measured");
        record.update_facts(facts_);
        crash_point("measurement_recorded");
      }
    }
    for (const auto& [study, forecast] : facts_["forecast"].items()) {
      is_known &= forecast.contains("device_hours");
      at_most |= forecast.value("at_most", false);
      hours += forecast.value("device_hours", 0.0);
    }
    const char* bound = is_known ? (at_most ? "at most " : "") : (at_most ? "about " : "at least ");
    std::string text = "predicted from the probes: " + std::string(bound) +
                       format_duration(Milliseconds(static_cast<std::int64_t>(hours * 3600e3))) +
                       " of device time";
    if (comparison_.usd_per_hour) {
      char usd[32];
      std::snprintf(usd, sizeof usd, ", $%.2f", hours * *comparison_.usd_per_hour);
      text += usd;
    }
    hooks_.notice(text);
  }

  Json probe(std::size_t approach) {
    const std::string name = comparison_.approaches[approach].name;
    hooks_.notice("tune-train is measured on this machine with the approach " + name);
    Spec spec = study_spec(study_document(comparison_, approach, StudyRole::kDefaults, comparison_.seeds));
    apply_builtin_trainer(spec, trainer_, spec.file, spec.text);
    make_private_folder(folder_ / "probes" / name);
    return probe_machine({trainer_, spec, folder_ / "probes" / name, comparison_.seed,
                          [this] { return interruption_.count.load(); }, hooks_.notice});
  }

  Spec study_spec(const OrderedJson& document) const {
    const std::string text = document.dump(2);
    return parse_spec(text, comparison_.file + " (the study " + document.at("study").get<std::string>() + ")",
                      comparison_.folder);
  }

  std::optional<store::StudyStore> study_store(const std::string& study) const {
    const fs::path file = store_folder_ / study / "study.db";
    if (!fs::exists(file)) return std::nullopt;
    return store::StudyStore(file, store::OpenMode::kRead);
  }

  bool is_done(const Spec& spec) const {
    try {
      const auto study = study_store(spec.study);
      if (!study) return false;
      const store::StudyRow row = study->study();
      return row.state == "finished" && spec_difference(row.spec, spec.document).empty();
    } catch (const Error&) {
      return false;  // whoever opens it for writing says what is wrong, or mends it
    }
  }

  void run_role(std::size_t approach, StudyRole role, std::optional<int> trials,
                const ParameterSet& winner = {}) {
    Spec spec = study_spec(study_document(comparison_, approach, role, trials, winner));
    if (is_done(spec)) return;
    hooks_.begin_study(spec.study);
    RunRequest run;
    run.store = store_folder_;
    run.spec_file = spec.file;
    run.spec_text = spec.text;
    run.spec = std::move(spec);
    run.version = request_.version;
    run.known_probes = facts_["probes"][comparison_.approaches[approach].name];
    const RunReport report = run_study(std::move(run), hooks_.study, clock_, interruption_);
    if (report.result.outcome == Outcome::kInterrupted) throw Error(ExitCode::kInterrupted, "interrupted");
    crash_point("approach_study_ended");
  }

  struct SearchEnd {
    int trials = 0;
    int whole_trainings = 0;  // that its device time pays for
    std::optional<ParameterSet> winner;
  };
  SearchEnd search_end(std::size_t approach, StudyRole role) const {
    const auto study = study_store(study_name(comparison_, approach, role));
    TUNE_CHECK(study.has_value());
    SearchEnd end;
    end.trials = study->trial_count();
    end.whole_trainings = whole_trainings(study->trials(), study->attempts());
    const History history = study->load_history();
    if (const TrialView* best = history.best()) end.winner = study->trial(best->number)->parameters;
    return end;
  }

  void train(std::size_t approach) {
    if (!comparison_.approaches[approach].has_search)
      return run_role(approach, StudyRole::kDefaults, comparison_.seeds);
    run_role(approach, StudyRole::kSearch, {});
    const SearchEnd search = search_end(approach, StudyRole::kSearch);
    run_role(
        approach, StudyRole::kDefaults,
        comparison_.best_of_seeds ? std::max(comparison_.seeds, search.whole_trainings) : comparison_.seeds);
    if (search.winner) run_role(approach, StudyRole::kTuned, comparison_.seeds, *search.winner);
    if (!comparison_.random_search || search.trials == 0) return;
    run_role(approach, StudyRole::kRandom, search.trials);
    const SearchEnd random = search_end(approach, StudyRole::kRandom);
    if (random.winner) run_role(approach, StudyRole::kRandomTuned, comparison_.seeds, *random.winner);
  }

  // Of a search the winner, else every run that completed.
  void collect(std::size_t approach, StudyRole role, std::vector<store::FrozenModel>& models) const {
    const std::string name = study_name(comparison_, approach, role);
    const auto study = study_store(name);
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
                        fingerprint_of_folder(output)});
    }
  }

  void freeze(store::ComparisonStore& record) {
    std::vector<store::FrozenModel> models;
    constexpr StudyRole kRoles[] = {StudyRole::kDefaults, StudyRole::kSearch, StudyRole::kTuned,
                                    StudyRole::kRandom, StudyRole::kRandomTuned};
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
      for (const StudyRole role : kRoles) collect(i, role, models);
    if (models.empty())
      throw Error(ExitCode::kEveryTrialFailed, "no run of any approach has completed",
                  "`tune trials " + study_name(comparison_, 0, StudyRole::kDefaults) + "` says why");
    crash_point("before_freezing");
    record.freeze(models, facts_);
    crash_point("models_frozen");
    hooks_.notice(std::to_string(models.size()) + " models are frozen; now they see the test images");
  }

  void score(store::ComparisonStore& record) {
    const std::vector<store::Scoring> scorings = record.scorings();
    const bool goes_on = !scorings.empty() && !scorings.back().ended;
    if (!scorings.empty() && !goes_on && !request_.score_again) return;
    require_test_images();
    const int number = goes_on ? scorings.back().number : record.begin_scoring(clock_.wall_now());
    const fs::path folder = folder_ / "scorings" / std::to_string(number);
    crash_point("scoring_begun");
    make_private_folder(folder);
    std::map<int, std::string> done;  // by model: SHA-256 of its detections
    for (const store::Prediction& prediction : record.predictions(number))
      done[prediction.model] = prediction.sha256;
    std::vector<fs::path> files;
    const std::vector<store::FrozenModel> models = record.models();
    for (const store::FrozenModel& model : models) {
      files.push_back(folder / ("model-" + std::to_string(model.number) + ".json"));
      if (done.contains(model.number) && is_file_with(files.back(), done[model.number])) continue;
      hooks_.notice("model " + std::to_string(model.number) + " of " + std::to_string(models.size()) + ": " +
                    model.study + "/" + std::to_string(model.trial));
      require_unchanged(model);
      const TestImages::Predicted made = test_.predict(store_folder_ / model.folder, files.back());
      crash_point("prediction_made");
      record.insert_prediction(number,
                               {model.number, sha256_of_file(files.back()), made.seconds, made.facts});
      crash_point("prediction_recorded");
    }
    require_test_images();
    crash_point("before_scoring");
    const Json result =
        test_.score(files, groups_file(), store_folder_ / models.front().folder, folder / "images");
    crash_point("scored");
    record.end_scoring(number, result, clock_.wall_now());
    crash_point("scoring_recorded");
  }

  void require_unchanged(const store::FrozenModel& model) const {
    if (fingerprint_of_folder(store_folder_ / model.folder) == model.fingerprint) return;
    throw Error(ExitCode::kConflict,
                (store_folder_ / model.folder).string() + " has changed since the models were frozen",
                "restore it, or begin another comparison under another name");
  }

  const fs::path store_folder_;
  const Comparison& comparison_;
  const ComparisonRequest& request_;
  const ComparisonHooks& hooks_;
  const Clock& clock_;
  Interruption& interruption_;
  const fs::path folder_;
  const BuiltinTrainer trainer_;
  const TestImages test_;
  Json facts_ = Json::object();
};

}  // namespace

fs::path comparison_folder(const fs::path& store, const std::string& name) {
  return store / "comparisons" / name;
}

bool run_comparison(const ComparisonRequest& request, const ComparisonHooks& hooks, const Clock& clock,
                    Interruption& interruption) {
  try {
    ComparisonRun(request, hooks, clock, interruption).run();
    return true;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kInterrupted) throw;
    return false;
  }
}

}  // namespace tune::engine
