#include "tuner/engine/study/study_opening.h"

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/rng.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/loop/completion.h"
#include "tuner/engine/study/asked_study.h"
#include "tuner/engine/study/warm_start.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/file_system.h"
#include "tuner/os/regular_file.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr int kLockTries = 8;
constexpr std::chrono::milliseconds kLockPause{50};
constexpr std::uint64_t kMostSpec = 64u << 20;  // bytes

store::StudyRow new_row(const Spec& spec, const std::string& spec_text, const Overrides& overrides) {
  store::StudyRow row;
  row.name = spec.study;
  row.spec = spec.document;
  row.spec_text = spec_text;
  row.folder = spec.folder.string();
  row.seed = overrides.seed ? *overrides.seed : spec.strategy.seed ? *spec.strategy.seed : entropy_seed();
  row.objective = spec.objective;
  row.second = spec.second_objective;
  const Limits limits = limits_in_place(spec.limits, overrides.limits);
  check_limits(limits, spec);
  row.limits = limits_json(limits);
  row.state = store::StudyState::kRunning;
  row.created = row.updated = SystemClock().wall_now();
  return row;
}

bool is_different(const store::StudyRow& row, const Spec& spec, const Overrides& overrides) {
  return !spec_difference(row.spec, spec.document).empty() || (overrides.seed && *overrides.seed != row.seed);
}

// What to do about a spec that a study cannot go on with.
std::string cure_of(const std::vector<SpecChange>& changes, const std::string& study) {
  const auto concerns = [&](const std::string& section) {
    return std::any_of(changes.begin(), changes.end(), [&](const SpecChange& change) {
      return !change.is_harmless && change.pointer.starts_with("/" + section);
    });
  };
  std::string cure;
  if (concerns("parameters"))
    cure +=
        "`tune amend FILE` has the study go on in another space; or another study, with --name NAME, learns "
        "from this one by \"warm_start\": "
        "[{\"study\": \"" +
        study +
        "\", \"kind\": \"identical\"}] in the spec (\"assume\": {NAME: VALUE} there says what a new "
        "parameter was); ";
  if (concerns("metrics"))
    cure += "`tune rescan " + study + " --spec FILE` reads the stored logs again with the new regexes; ";
  return cure + "--name NAME starts another study; to begin anew, remove its folder, " + study +
         ", from the store";
}

void refuse_difference(const store::StudyRow& row, const Spec& spec, const Overrides& overrides) {
  const std::vector<SpecChange> changes = spec_changes(row.spec, spec.document);
  const bool refused = std::any_of(changes.begin(), changes.end(),
                                   [](const SpecChange& change) { return !change.is_harmless; });
  if (refused) {
    std::string message = "the study \"" + row.name + "\" was started with another spec:";
    for (const SpecChange& change : changes) message += "\n  " + change.line;
    throw Error(ExitCode::kConflict, message, cure_of(changes, row.name));
  }
  if (overrides.seed && *overrides.seed != row.seed) {
    throw Error(ExitCode::kConflict,
                "the study \"" + row.name + "\" was started with the seed " + std::to_string(row.seed),
                "leave --seed out, or start another study with --name");
  }
}

// The study goes on with the new spec. Limits that were raised on the command line stay where the spec's own
// are what they were. Says what has changed.
std::vector<std::string> take_changes(store::StudyStore& store, store::StudyRow& row, const Spec& spec,
                                      const std::string& spec_text) {
  const std::vector<SpecChange> changes = spec_changes(row.spec, spec.document);
  if (changes.empty()) return {};
  std::string notice = "the spec has changed, and the study goes on with it:";
  for (const SpecChange& change : changes) notice += (notice.ends_with(':') ? " " : "; ") + change.line;
  take_limits(row, spec, changes);
  row.spec = spec.document;
  row.spec_text = spec_text;
  row.folder = spec.folder.string();
  store::StudyStore::Transaction transaction(store);
  store.update_spec(row);
  store.update_study(row);
  transaction.commit();
  return {notice};
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
    store::StudyStore store(file, store::OpenMode::kWrite, settings);
    require_own_name(store);
    return store;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kNotFound) throw;
    return std::nullopt;
  }
}

// Trials without a database are another study's: their checkpoints and metrics must not reach the trials of
// the new one that get their numbers. Says where they are now; nothing when there are none.
std::vector<std::string> move_lost_trials_aside(const fs::path& folder) try {
  const fs::path trials = trials_folder(folder);
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
              "move or remove " + trials_folder(folder).string());
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
  row.facts.warm_start = earlier.counts;
  return earlier;
}

// Nothing was tried with the stored spec, and a person who was refused for what it asks may have mended it.
// What was copied for the same spec stays, since the earlier studies may be gone by now.
WarmStartTrials replace_untried(store::StudyStore& store, const fs::path& store_folder, const Spec& spec,
                                store::StudyRow& row) {
  const store::StudyRow stored = store.study();
  if (spec_difference(stored.spec, spec.document).empty()) {
    row.facts.warm_start = stored.facts.warm_start;
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

// Where the store and the spec lie now; where the folder is another one than before, says so.
std::vector<std::string> follow_spec(store::StudyStore& store, const fs::path& store_folder, const Spec& spec,
                                     store::StudyRow& row) {
  std::vector<std::string> notices;
  if (row.folder != spec.folder.string()) {
    notices.push_back("the spec lies in " + spec.folder.string() +
                      " now, and its commands start there (before: " + row.folder + ")");
    row.folder = spec.folder.string();
    store.update_spec(row);
  }
  store::Origin origin = row.facts.origin.value_or(store::Origin());
  origin.store = store_folder.string();
  // The stored spec that `resume` runs is no file.
  std::error_code ignored;
  const fs::path file = fs::path(spec.file).filename();
  if (fs::is_regular_file(spec.folder / file, ignored)) origin.spec = file.string();
  if (!row.facts.origin || Json(*row.facts.origin) != Json(origin)) {
    row.facts.origin = origin;
    store.update_study(row);
  }
  return notices;
}

// Those in force, as another tune may have left them.
Limits stored_limits(const store::StudyStore& store, const store::StudyRow& row) {
  try {
    return limits_from_json(row.limits);
  } catch (const std::exception& problem) {
    throw DamagedFile(store.file() + ": the study's limits are damaged: " + problem.what());
  }
}

}  // namespace

FileLock lock_study(const fs::path& folder, const std::string& study) {
  std::string holder;
  // A command that only changes a limit holds it for a moment.
  for (int i = 0; i < kLockTries; ++i) {
    if (auto lock = FileLock::try_once(study_lock(folder), holder)) return *std::move(lock);
    std::this_thread::sleep_for(kLockPause);
  }
  if (holder.empty()) {
    throw Error(ExitCode::kConflict,
                "another tune works on the study \"" + study + "\", and its lock file was removed",
                "wait for it, or find it with: fuser -v " + folder.string());
  }
  if (is_asked_study(folder))
    throw Error(ExitCode::kConflict,
                "a session of ask-tell has the study \"" + study + "\": process " + holder,
                "wait for it; " + cure_in_session("stop"));
  const bool is_elsewhere = holder.find(' ') != std::string::npos;
  throw Error(ExitCode::kConflict, "another tune works on the study \"" + study + "\": process " + holder,
              is_elsewhere ? "wait for it, or interrupt it on that machine"
                           : "wait for it, or interrupt it with: tune stop " + study + " (or kill -INT " +
                                 holder + ")");
}

void take_limits(store::StudyRow& row, const Spec& spec, const std::vector<SpecChange>& changes) {
  const Json wanted = limits_json(spec.limits);
  const std::string section = "/limits/";
  for (const SpecChange& change : changes) {
    if (change.pointer.starts_with(section)) {
      const std::string limit = change.pointer.substr(section.size());
      // A default, written out or not, is no key of the row.
      if (wanted.contains(limit))
        row.limits[limit] = wanted[limit];
      else
        row.limits.erase(limit);
    }
    // Another model's name has not been decided on.
    if (change.pointer.starts_with("/promote")) row.facts.promotion.reset();
  }
}

void require_own_name(const store::StudyStore& store) {
  const std::string name = store.study().name;
  const std::string folder = fs::absolute(store.file()).lexically_normal().parent_path().filename().string();
  if (name == folder) return;
  throw Error(ExitCode::kEnvironment,
              "the folder \"" + folder + "\" holds the study \"" + name +
                  "\": it is a copy of that study, or was renamed, and can only be read",
              "name the folder \"" + name + "\" again to go on with it, a copy in a store of its own");
}

OpenedStudy open_study(const fs::path& store_folder, const Spec& spec, const std::string& spec_text,
                       const Overrides& overrides) {
  const store::StoreSettings settings = store_settings();
  const fs::path folder = store_folder / spec.study, file = study_database(folder);
  store::StudyRow new_study = new_row(spec, spec_text, overrides);
  new_study.facts.origin = {store_folder.string(), fs::path(spec.file).filename().string()};
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
    earlier.notices = follow_spec(*store, store_folder, spec, row);
    for (std::string& notice : take_changes(*store, row, spec, spec_text))
      earlier.notices.push_back(std::move(notice));
    row.limits = limits_json(limits_in_place(stored_limits(*store, row), overrides.limits));
    return {std::move(lock), std::move(*store), std::move(row), false, std::move(earlier.notices)};
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

HeldStudy hold_study(const fs::path& store_folder, const std::string& study) {
  const fs::path folder = store_folder / study;
  FileLock lock = lock_study(folder, study);
  auto store = existing_store(study_database(folder), store_settings());
  return {std::move(lock), std::move(store)};
}

HeldStudy require_held_study(const fs::path& store_folder, const std::string& study) {
  HeldStudy held = hold_study(store_folder, study);
  if (!held.store)
    throw Error(ExitCode::kNotFound, "there is no study \"" + study + "\" in " + store_folder.string());
  return held;
}

fs::path spec_folder_now(const store::StudyRow& row, const fs::path& store_folder) {
  const store::Origin origin = row.facts.origin.value_or(store::Origin());
  const std::string old_store = origin.store, file = origin.spec.value_or("");
  if (old_store.empty() || file.empty() || old_store == store_folder.string()) return row.folder;
  fs::path folder = (store_folder / fs::path(row.folder).lexically_relative(old_store)).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const Json document = read_json_file(folder / file, kMostSpec, Links::kFollow).value;
  return document.is_object() && spec_difference(row.spec, document).empty() ? folder : fs::path(row.folder);
}

}  // namespace tune::engine
