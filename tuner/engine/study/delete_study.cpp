#include "tuner/engine/study/delete_study.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <utility>

#include "store/model_registry.h"
#include "store/store_listing.h"
#include "store/study_store.h"
#include "store/study_versions.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/core/slurm_boot.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/promotion/promotion.h"
#include "tuner/engine/slurm/job_folder.h"
#include "tuner/engine/slurm/job_records.h"
#include "tuner/engine/study/asked_study.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/file_lock.h"
#include "tuner/os/file_system.h"
#include "tuner/os/held_locks.h"
#include "tuner/os/process.h"

namespace tune::engine {
namespace fs = std::filesystem;
namespace {

// Studies that are being deleted, each under its name, a dot and a token.
fs::path set_aside(const fs::path& store) { return store / ".deleted"; }

// What removing the folder frees: blocks of files that no other name holds.
std::uintmax_t freed_by(const fs::path& folder) {
  std::uintmax_t bytes = 0;
  std::error_code error;
  if (const fs::path shared = shared_folder_of(folder); !shared.empty()) bytes += freed_by(shared);
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    struct stat about {};
    if (::lstat(entry->path().c_str(), &about) == 0 && (S_ISDIR(about.st_mode) || about.st_nlink == 1))
      bytes += static_cast<std::uintmax_t>(about.st_blocks) * 512;
  }
  return bytes;
}

void remove_files(const fs::path& folder) {
  std::error_code error;
  // What a cluster's nodes had of a study lies elsewhere, and goes first: with the link it would be
  // forgotten.
  if (const fs::path shared = shared_folder_of(folder); !shared.empty()) fs::remove_all(shared, error);
  if (error)
    throw Error(ExitCode::kEnvironment,
                "cannot remove the trials of " + folder.string() + ": " + error.message(),
                "check the rights of the folder that its trials link to, and run the same command again");
  fs::remove_all(folder, error);
  if (error)
    throw Error(ExitCode::kEnvironment, "cannot remove " + folder.string() + ": " + error.message(),
                "check the rights of that folder, and run the same command again");
}

// The folders of a study's deletion, of all studies where that is empty. Who deletes one holds its lock,
// which goes with the folder.
struct SetAside {
  std::vector<fs::path> left;  // by processes that died
  bool is_worked_on = false;   // another one is being deleted
};
SetAside set_aside_of(const fs::path& store, const std::string& study) {
  SetAside found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(set_aside(store), error)) {
    const std::string name = entry.path().filename().string();
    if (!study.empty() && name.substr(0, name.rfind('.')) != study) continue;
    if (is_locked(entry.path()))
      found.is_worked_on = true;
    else
      found.left.push_back(entry.path());
  }
  std::sort(found.left.begin(), found.left.end());
  return found;
}

// `study`: nullopt for a database that cannot be read, of which nobody knows since when it is there.
std::vector<std::string> versions_of(const DeletionRequest& request,
                                     const std::optional<store::StudyStore>& study) {
  std::vector<std::string> kept;
  const WallTime created = study ? study->study().created : WallTime();
  for (const auto& [version, is_current, promotions] :
       store::versions_of_study(request.store, request.study, created))
    if (request.trial == 0 || version.trial == request.trial)
      kept.push_back(version.model + " version " + std::to_string(version.version) + ", made of trial " +
                     std::to_string(version.trial));
  return kept;
}

// Its report and its frozen models are of the trials' files.
void require_no_comparison(const DeletionRequest& request) {
  const auto name = store::comparison_of(request.store, request.study);
  if (!name) return;
  throw Error(
      ExitCode::kConflict,
      "\"" + request.study + "\" is a study of the comparison \"" + *name + "\", which reads its trials",
      "remove " + comparison_folder(request.store, *name).string() +
          " first, if nobody needs the comparison any more");
}

// A job goes on without its orchestrator, and writes where nothing is any more. Its files say whether it
// ended.
void require_no_job(const store::AttemptRow& attempt, const DeletionRequest& request) {
  if (!store::is_live(attempt.state) || attempt.boot_id != kSlurmBoot) return;
  const fs::path study = request.store / request.study;
  const fs::path folder = attempt_folder(study, {attempt.trial, attempt.attempt});
  if (has_file(folder, kExitFile) || has_file(folder, kEndedFile)) return;
  throw Error(ExitCode::kConflict,
              "trial " + std::to_string(attempt.trial) + " of \"" + request.study +
                  "\" may still run as a job of Slurm",
              "`tune resume " + request.study +
                  "` takes it up again, and Ctrl-C there ends it; if that cluster is gone, remove " +
                  study.string() + " and the folder that its trials link to");
}

// An orchestrator that was killed leaves supervisors for a moment.
void require_no_process(const store::StudyStore& study, const DeletionRequest& request) {
  const std::string boot = boot_id();
  for (const store::AttemptRow& attempt : study.attempts(request.trial)) {
    require_no_job(attempt, request);
    if (!store::is_live(attempt.state) || attempt.supervisor_pid == 0 || attempt.boot_id != boot) continue;
    const auto process = process_info(static_cast<pid_t>(attempt.supervisor_pid));
    if (!process || process->start_time != attempt.supervisor_start_time) continue;
    throw Error(ExitCode::kConflict,
                "trial " + std::to_string(attempt.trial) + " of \"" + request.study +
                    "\" still runs: process " + std::to_string(attempt.supervisor_pid),
                "wait until it has ended, or go on with the study and end the trial with `tune stop " +
                    request.study + '/' + std::to_string(attempt.trial) + "`");
  }
}

store::TrialRow trial_in(const store::StudyStore& study, const DeletionRequest& request) {
  auto trial = study.trial(request.trial);
  if (!trial)
    throw Error(ExitCode::kNotFound,
                request.study + " has no trial " + std::to_string(request.trial) + ": it has " +
                    std::to_string(study.trial_count()),
                "`tune trials " + request.study + "` lists them");
  return *std::move(trial);
}

// What ran when its study was interrupted runs again, and only its study knows what it has taken by then.
void require_ended(const store::StudyStore& study, const store::TrialRow& trial,
                   const DeletionRequest& request) {
  if (trial.state != TrialState::kRunning) return;
  const std::string name = request.study + '/' + std::to_string(request.trial);
  throw Error(ExitCode::kConflict,
              "trial " + std::to_string(request.trial) + " of \"" + request.study + "\" has not ended",
              study.study().facts.driver ? cure_in_session("stop", request.trial)
                                         : "`tune stop " + name + "` ends it when the study goes on");
}

std::optional<int> winner_in(const store::StudyStore& study) {
  return winner_of(study.load_history(), study.study().spec);
}

// What a person should know who deletes the trial that is promoted, or one of the runs that decide which is.
std::optional<std::string> note_about_winner(const store::StudyStore& study, int trial) {
  const auto winner = winner_in(study);
  if (!winner) return std::nullopt;
  History history = study.load_history();
  if (winner == trial)
    return history.second ? "it is the preferred trial of the study's front" : "it is the study's best trial";
  for (auto& each : history.trials) {
    if (each->number != trial) continue;
    TrialView tombstone = *each;
    tombstone.state = TrialState::kStopped;
    tombstone.values.clear();
    each = std::make_shared<const TrialView>(std::move(tombstone));
  }
  const auto next = winner_of(history, study.study().spec);
  if (next == winner) return std::nullopt;
  return "without it " + (next ? "trial " + std::to_string(*next) : std::string("no trial")) +
         " is the study's best, and no longer trial " + std::to_string(*winner);
}

Error no_study(const DeletionRequest& request) {
  return {ExitCode::kNotFound, "there is no study \"" + request.study + "\" in " + request.store.string(),
          "`tune status` lists the studies; --store names another store"};
}

// The study is held, whatever its database looks like.
FileLock hold(const DeletionRequest& request) {
  const fs::path folder = request.store / request.study;
  std::error_code error;
  if (!fs::exists(folder, error)) throw no_study(request);
  try {
    return lock_study(folder, request.study);
  } catch (const Error&) {
    // Another process may have deleted it meanwhile.
    if (!fs::exists(folder, error)) throw no_study(request);
    throw;
  }
}

// nullopt for a database that cannot be read: then nothing can be said of what is in it.
std::optional<store::StudyStore> readable(const DeletionRequest& request) {
  try {
    return store::StudyStore(study_database(request.store / request.study),
                             request.trial == 0 ? store::OpenMode::kRead : store::OpenMode::kWrite);
  } catch (const Error&) {
    if (request.trial != 0) throw;
    return std::nullopt;
  }
}

void require_deletable(const DeletionRequest& request, const std::optional<store::StudyStore>& study) {
  require_no_comparison(request);
  if (study) require_no_process(*study, request);
}

// What dead processes have left of the study's deletion. Throws Error(kConflict) while one that lives is at
// it and there is nothing else to delete.
std::vector<fs::path> left_by_dead(const DeletionRequest& request) {
  std::error_code ignored;
  SetAside found = set_aside_of(request.store, request.study);
  if (found.is_worked_on && found.left.empty() && !fs::exists(request.store / request.study, ignored))
    throw Error(ExitCode::kConflict, "the study \"" + request.study + "\" is being deleted already",
                "wait for the other `tune delete`");
  return std::move(found.left);
}

std::uintmax_t delete_whole_study(const DeletionRequest& request) {
  const fs::path folder = request.store / request.study;
  std::error_code ignored;
  // What a process left that died.
  std::uintmax_t bytes = 0;
  const bool is_there = fs::exists(fs::symlink_status(folder, ignored));
  std::vector<fs::path> left = left_by_dead(request);
  if (!is_there && left.empty()) throw no_study(request);
  std::optional<FileLock> lock;  // until all is gone
  if (is_there) {
    lock.emplace(hold(request));
    require_deletable(request, readable(request));
    make_private_folder(set_aside(request.store));
    const fs::path aside = set_aside(request.store) / (request.study + '.' + random_token());
    fs::rename(folder, aside, ignored);
    if (ignored)
      throw Error(ExitCode::kEnvironment, "cannot remove " + folder.string() + ": " + ignored.message(),
                  "check the rights of the store's folders");
    sync_path(request.store);
    crash_point("study_set_aside");
    left.push_back(aside);
  }
  for (const fs::path& aside : left) {
    bytes += freed_by(aside);
    remove_files(aside);
  }
  fs::remove(set_aside(request.store), ignored);  // unless another deletion goes on there
  return bytes;
}

std::uintmax_t delete_one_trial(const DeletionRequest& request, const Clock& clock) {
  const FileLock lock = hold(request);
  std::optional<store::StudyStore> found = readable(request);
  store::StudyStore& study = *found;
  require_own_name(study);
  const store::TrialRow trial = trial_in(study, request);
  if (!trial.facts.deleted) {
    require_deletable(request, found);
    require_ended(study, trial, request);
    const auto winner = winner_in(study);
    store::StudyStore::Transaction transaction(study, Durability::kPower);
    study.delete_trial(trial.number, request.who, clock.wall_now());
    store::StudyRow row = study.study();
    // Whether the new best one passes is for the next run to decide.
    const auto& made = row.facts.promotion;
    if (winner_in(study) != winner || (made && made->trial == trial.number)) row.facts.promotion.reset();
    row.facts.stop_requests.erase(trial.number);
    row.updated = clock.wall_now();
    study.update_study(row);
    crash_point("deleting_trial");
    transaction.commit();
    crash_point("trial_deleted");
  }
  const fs::path folder = trial_folder(request.store / request.study, request.trial);
  const std::uintmax_t bytes = freed_by(folder);
  remove_files(folder);
  return bytes;
}

}  // namespace

DeletionPreview preview_deletion(const DeletionRequest& request) {
  DeletionPreview preview;
  const fs::path folder = request.store / request.study;
  std::error_code ignored;
  if (request.trial == 0 && !fs::exists(folder, ignored)) {
    const std::vector<fs::path> left = left_by_dead(request);
    for (const fs::path& each : left) preview.bytes += freed_by(each);
    if (!left.empty()) {
      preview.notes.push_back("a deletion of it was interrupted, and is finished");
      return preview;
    }
  }
  const FileLock lock = hold(request);
  const std::optional<store::StudyStore> study = readable(request);
  require_deletable(request, study);
  preview.kept = versions_of(request, study);
  if (request.trial == 0) {
    preview.bytes = freed_by(folder);
    if (!study) preview.notes.push_back("its database cannot be read");
    if (study) preview.notes.push_back("it has " + std::to_string(study->trial_count()) + " trials");
    return preview;
  }
  const store::TrialRow trial = trial_in(*study, request);
  const fs::path files = trial_folder(folder, request.trial);
  preview.bytes = freed_by(files);
  if (trial.facts.deleted && !fs::exists(files, ignored))
    throw Error(ExitCode::kConflict, "trial " + std::to_string(request.trial) + " of \"" + request.study +
                                         "\" was deleted by " + trial.facts.deleted->who + " on " +
                                         format_time(trial.facts.deleted->when));
  if (trial.facts.deleted) preview.notes.push_back("its deletion was interrupted, and is finished");
  if (!trial.facts.deleted) require_ended(*study, trial, request);
  if (!is_finished(trial.state)) preview.notes.push_back(std::string("it is ") + to_string(trial.state));
  if (auto note = note_about_winner(*study, request.trial)) preview.notes.push_back(*std::move(note));
  return preview;
}

std::uintmax_t delete_from_store(const DeletionRequest& request, const Clock& clock) {
  return request.trial == 0 ? delete_whole_study(request) : delete_one_trial(request, clock);
}

FinishedDeletions finish_deletions(const fs::path& store) {
  FinishedDeletions result;
  const auto finish = [&](const fs::path& folder, const std::string& what) {
    try {
      remove_files(folder);
      result.done.push_back("the deletion of " + what + " was finished");
    } catch (const Error& error) {
      result.failed.push_back("the deletion of " + what + " cannot be finished: " + error.what());
    }
  };
  std::error_code ignored;
  for (const fs::path& left : set_aside_of(store, {}).left) {
    const std::string name = left.filename().string();
    finish(left, "the study " + name.substr(0, name.rfind('.')));
  }
  fs::remove(set_aside(store), ignored);
  for (const std::string& name : store::study_names(store)) {
    try {
      const store::StudyStore study(study_database(store / name), store::OpenMode::kRead);
      for (const store::TrialRow& trial : study.trials()) {
        const fs::path folder = trial_folder(store / name, trial.number);
        if (!trial.facts.deleted || !fs::exists(folder, ignored)) continue;
        std::string holder;
        const auto lock = FileLock::try_once(study_lock(store / name), holder);
        if (!lock) break;
        finish(folder, name + '/' + std::to_string(trial.number));
      }
    } catch (const Error&) {
      continue;  // said where the studies are looked at
    }
  }
  return result;
}

}  // namespace tune::engine
