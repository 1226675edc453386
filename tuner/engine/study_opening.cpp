#include "tuner/engine/study_opening.h"

#include <cstdlib>
#include <utility>

#include "tuner/core/rng.h"
#include "tuner/engine/crash_point.h"
#include "tuner/engine/warm_start.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

std::string duration_text(Milliseconds duration) {
  const bool whole = duration.count() % 1000 == 0;
  return whole ? std::to_string(duration.count() / 1000) + "s" : std::to_string(duration.count()) + "ms";
}

FileLock lock_study(const fs::path& folder, const std::string& study) {
  std::string holder;
  auto lock = FileLock::try_once(folder / "lock", holder);
  if (!lock && holder.empty()) {
    throw Error(ExitCode::kConflict,
                "another tune works on the study \"" + study + "\", and its lock file was removed",
                "wait for it, or find it with: fuser -v " + folder.string());
  }
  if (!lock) {
    throw Error(ExitCode::kConflict, "another tune works on the study \"" + study + "\": process " + holder,
                "wait for it, or interrupt it with: kill -INT " + holder);
  }
  return std::move(*lock);
}

store::StudyRow new_row(const Spec& spec, const std::string& spec_text, const Overrides& overrides) {
  store::StudyRow row;
  row.name = spec.study;
  row.spec = spec.document;
  row.spec_text = spec_text;
  row.folder = spec.folder.string();
  row.seed = overrides.seed ? *overrides.seed : spec.strategy.seed ? *spec.strategy.seed : entropy_seed();
  row.objective = spec.objective;
  row.limits = limits_json(override_limits(spec.limits, overrides));
  row.state = "running";
  row.created = row.updated = SystemClock().wall_now();
  return row;
}

bool is_different(const store::StudyRow& row, const Spec& spec, const Overrides& overrides) {
  return !spec_difference(row.spec, spec.document).empty() || (overrides.seed && *overrides.seed != row.seed);
}

void refuse_difference(const store::StudyRow& row, const Spec& spec, const Overrides& overrides) {
  const std::vector<std::string> lines = spec_difference(row.spec, spec.document);
  if (!lines.empty()) {
    std::string message = "the study \"" + row.name + "\" was started with another spec:";
    for (const std::string& line : lines) message += "\n  " + line;
    throw Error(ExitCode::kConflict, message,
                "--name NAME starts another study; `tune resume " + row.name +
                    " --trials N` raises the limit of this one; to begin anew, remove its folder, " +
                    row.name + ", from the store");
  }
  if (overrides.seed && *overrides.seed != row.seed) {
    throw Error(ExitCode::kConflict,
                "the study \"" + row.name + "\" was started with the seed " + std::to_string(row.seed),
                "leave --seed out, or start another study with --name");
  }
}

bool is_there(const fs::path& file) {
  std::error_code error;
  const bool there = fs::exists(file, error);
  if (error)
    throw Error(ExitCode::kEnvironment, "cannot look at " + file.string() + ": " + error.message(),
                "check the rights of the store's folders, or name another store with --store");
  return there;
}

// The database with a study in it; nullopt when there is none, or a process died while it made one.
std::optional<store::StudyStore> existing_store(const fs::path& file, const store::StoreSettings& settings) {
  if (!is_there(file)) return std::nullopt;
  try {
    return store::StudyStore(file, store::OpenMode::kWrite, settings);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kNotFound) throw;
    return std::nullopt;
  }
}

// Trials without a database are another study's: their checkpoints and metrics must not reach the trials of
// the new one that get their numbers. Says where they are now; nothing when there are none.
std::vector<std::string> move_lost_trials_aside(const fs::path& folder) try {
  const fs::path trials = folder / "trials";
  if (!fs::exists(fs::symlink_status(trials)) || (fs::is_directory(trials) && fs::is_empty(trials)))
    return {};
  fs::path aside;
  for (int number = 1; aside.empty() || fs::exists(fs::symlink_status(aside)); ++number)
    aside = folder / ("trials.lost-" + std::to_string(number));
  fs::rename(trials, aside);
  return {"the study begins anew: its database was gone, and the trials that lay there are in " +
          aside.string() + " now"};
} catch (const fs::filesystem_error& error) {
  throw Error(ExitCode::kEnvironment,
              std::string("the trials of a lost database cannot be moved: ") + error.what(),
              "move or remove " + (folder / "trials").string());
}

// TUNE_SYNCHRONOUS: what a commit survives.
store::StoreSettings store_settings() {
  const char* text = std::getenv("TUNE_SYNCHRONOUS");
  const std::string wanted = text == nullptr ? "" : text;
  store::StoreSettings settings;
  if (wanted == "full") {
    settings.durability = Durability::kPower;
  } else if (!wanted.empty() && wanted != "normal") {
    throw Error(ExitCode::kUsage, "TUNE_SYNCHRONOUS is \"" + wanted + "\"", "it is normal or full");
  }
  return settings;
}

// What the spec's warm_start names, recorded in the row's facts.
WarmStartTrials learn(const fs::path& store_folder, const Spec& spec, store::StudyRow& row) {
  if (spec.warm_start.empty()) return {};
  WarmStartTrials earlier = read_warm_start(store_folder, spec, row.seed);
  row.facts["warm_start"] = earlier.facts;
  return earlier;
}

// Nothing was tried with the stored spec: whoever was refused for what it asks may have mended it. What was
// copied for the same spec stays, since the earlier studies may be gone by now.
WarmStartTrials replace_untried(store::StudyStore& store, const fs::path& store_folder, const Spec& spec,
                                store::StudyRow& row) {
  const store::StudyRow stored = store.study();
  if (spec_difference(stored.spec, spec.document).empty()) {
    if (stored.facts.contains("warm_start")) row.facts["warm_start"] = stored.facts["warm_start"];
    store.replace_study(row);
    return {};
  }
  WarmStartTrials earlier = learn(store_folder, spec, row);
  store::StudyStore::Transaction transaction(store);
  store.replace_study(row);
  store.replace_earlier_trials(earlier.trials);
  transaction.commit();
  return earlier;
}

}  // namespace

void make_private_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::create_directories(folder, error)) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) {
    throw Error(ExitCode::kEnvironment, "cannot create " + folder.string() + ": " + error.message(),
                "name a folder that you may write with --store, or in $TUNE_STORE");
  }
}

Limits override_limits(Limits limits, const Overrides& overrides) {
  if (overrides.trials) limits.trials = overrides.trials;
  if (overrides.parallel) limits.parallel = overrides.parallel;
  if (overrides.time) limits.time = overrides.time;
  if (overrides.gpu_hours) limits.gpu_hours = overrides.gpu_hours;
  if (overrides.cost_usd) limits.cost_usd = overrides.cost_usd;
  return limits;
}

Json limits_json(const Limits& limits) {
  Json json = Json::object();
  if (limits.trials) json["trials"] = *limits.trials;
  if (limits.parallel) json["parallel"] = *limits.parallel;
  if (limits.time) json["time"] = duration_text(*limits.time);
  if (limits.trial_time) json["trial_time"] = duration_text(*limits.trial_time);
  if (limits.no_output) json["no_output"] = duration_text(*limits.no_output);
  if (limits.no_metric_time) json["no_metric_time"] = duration_text(*limits.no_metric_time);
  if (limits.gpu_hours) json["gpu_hours"] = *limits.gpu_hours;
  if (limits.cost_usd) json["cost_usd"] = *limits.cost_usd;
  return json;
}

Limits limits_from_json(const Json& json) {
  Limits limits;
  if (json.contains("trials")) limits.trials = json["trials"].get<int>();
  if (json.contains("parallel")) limits.parallel = json["parallel"].get<int>();
  if (json.contains("time")) limits.time = parse_duration(json["time"].get<std::string>());
  if (json.contains("trial_time")) limits.trial_time = parse_duration(json["trial_time"].get<std::string>());
  for (const auto& [name, silence] :
       {std::pair("no_output", &limits.no_output), std::pair("no_metric_time", &limits.no_metric_time)})
    if (json.contains(name)) *silence = parse_duration(json[name].get<std::string>());
  if (json.contains("gpu_hours")) limits.gpu_hours = json["gpu_hours"].get<double>();
  if (json.contains("cost_usd")) limits.cost_usd = json["cost_usd"].get<double>();
  return limits;
}

OpenedStudy open_study(const fs::path& store_folder, const Spec& spec, const std::string& spec_text,
                       const Overrides& overrides) {
  const store::StoreSettings settings = store_settings();
  const fs::path folder = store_folder / spec.study, file = folder / "study.db";
  store::StudyRow new_study = new_row(spec, spec_text, overrides);
  WarmStartTrials earlier;
  // Before a folder is made, since the spec may ask for what is not there.
  const bool is_first = !is_there(file);
  if (is_first) earlier = learn(store_folder, spec, new_study);
  make_private_folder(store_folder);
  make_private_folder(folder);
  FileLock lock = lock_study(folder, spec.study);
  if (std::optional<store::StudyStore> store = existing_store(file, settings)) {
    store::StudyRow row = store->study();
    if (store->trial_count() == 0 && is_different(row, spec, overrides)) {
      earlier = replace_untried(*store, store_folder, spec, new_study);
      return {std::move(lock), std::move(*store), std::move(new_study), false, std::move(earlier.notices)};
    }
    refuse_difference(row, spec, overrides);
    row.limits = limits_json(override_limits(limits_from_json(row.limits), overrides));
    return {std::move(lock), std::move(*store), std::move(row), false, {}};
  }
  if (!is_first) earlier = learn(store_folder, spec, new_study);  // a process died while it made the file
  for (std::string& notice : move_lost_trials_aside(folder)) earlier.notices.push_back(std::move(notice));
  store::StudyStore store(file, store::OpenMode::kCreate, settings);
  crash_point("store_created");
  {
    store::StudyStore::Transaction transaction(store);
    store.create_study(new_study);
    store.replace_earlier_trials(earlier.trials);
    transaction.commit();
  }
  crash_point("study_created");
  return {std::move(lock), std::move(store), std::move(new_study), true, std::move(earlier.notices)};
}

void bring_up_to_date(const fs::path& store_folder, const std::string& study) {
  const fs::path folder = store_folder / study;
  const FileLock lock = lock_study(folder, study);
  existing_store(folder / "study.db", store_settings());
}

}  // namespace tune::engine
