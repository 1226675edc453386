#include "tuner/compare/comparison_run.h"

#include <map>

#include "store/comparison_store.h"
#include "tuner/billing/device_shares.h"
#include "tuner/compare/comparison_forecast.h"
#include "tuner/compare/comparison_keys.h"
#include "tuner/compare/comparison_ledger.h"
#include "tuner/compare/comparison_notices.h"
#include "tuner/compare/comparison_probes.h"
#include "tuner/compare/comparison_round.h"
#include "tuner/compare/comparison_scoring.h"
#include "tuner/compare/comparison_training.h"
#include "tuner/compare/test_images.h"
#include "tuner/compare/test_program.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/study/run_facts.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/file_lock.h"
#include "tuner/os/file_system.h"
#include "tuner/os/sha256.h"
#include "tuner/report/text/format.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

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
    try {
      work(record);
    } catch (const Error& error) {
      if (error.code() != ExitCode::kInterrupted) {
        notices_.tell(record, {NotifyOn::kFailed,
                               "failed:" + format_time(clock_.wall_now()),
                               comparison_.name + " has failed: " + error.what(),
                               {{"reason", error.what()},
                                {"hint", error.hint()},
                                {"exit_code", static_cast<int>(error.code())}}});
        notices_.finish(record);
      }
      throw;
    }
    notices_.finish(record);
  }

 private:
  void work(store::ComparisonStore& record) {
    if (record.models().empty()) {
      look_at_data(record);
      forecast(record);
      begin_training(record);
      ComparisonTraining training({store_folder_, comparison_, request_.version, facts_, record, ledger_,
                                   hooks_, notices_, clock_, interruption_});
      for (std::size_t i = 0; i < comparison_.approaches.size(); ++i) training.train(i);
      freeze(record);
    }
    score(record);
    const int scorings = record.scorings().back().number;
    notices_.tell(record,
                  {NotifyOn::kFinished,
                   "scored:" + std::to_string(scorings),
                   comparison_.name + " has finished: " + plural_text(record.models().size(), "model") +
                       (images_ ? " scored" : " tested"),
                   {{"models", record.models().size()}, {"scoring", scorings}}});
  }

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
      // Of a comparison that is frozen only those may have changed whom it notifies.
      if (Json(comparison_.document) != row->document && record.models().empty()) {
        const Json limits(comparison_.document.value("limits", OrderedJson::object()));
        if (ledger_.has_more_budget_than(row->document)) facts_.budget_was_raised = true;
        record.begin({row->name, comparison_.document, comparison_.text, comparison_.folder.string(),
                      row->created, store::to_json(facts_)});
        if (limits != row->document.value("limits", Json::object()))
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
      kept.erase("notify");  // who is told of it is not what is compared
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

  void freeze(store::ComparisonStore& record) {
    std::vector<store::FrozenModel> models;
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
      for (const StudyRole role : kStudyRoles)
        for (store::FrozenModel& model : completed_models(store_folder_, comparison_, ledger_, i, role)) {
          model.number = static_cast<int>(models.size()) + 1;
          models.push_back(std::move(model));
        }
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
  ComparisonNotices notices_{request_, store_folder_, facts_, hooks_, interruption_};
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
