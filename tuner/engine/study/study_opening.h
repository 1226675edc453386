#pragma once
// Opens the study that a command means: a new one, or the one that is there, held against every other
// orchestrator.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/os/file_lock.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// What the command line says beside the spec. It is stored with the study, and a later command may say it
// again.
struct Overrides {
  Limits limits = {};
  std::optional<std::uint64_t> seed = {};
};

// A study opened for writing. The lock is held as long as this lives.
struct OpenedStudy {
  FileLock lock;
  store::StudyStore store;
  store::StudyRow row;  // limits in force, raised by the overrides
  bool is_new = false;
  std::vector<std::string> notices;  // what a new study learns from earlier ones; how its spec has changed
};

// Creates STORE/STUDY (mode 0700), with copies of what the spec's warm_start names, or continues it. Throws
// SpecError for a warm start that is not possible; Error(kConflict) when another process works on it (with
// its pid), when the stored spec asks for another search (with the differing lines) or the seed differs.
// While a study has no trials the new spec takes the stored one's place; a spec that differs in limits and
// the like alone (SpecChange::is_harmless) takes it at any time. The same spec in another folder moves the
// study there. Error(kEnvironment) when the store cannot be written. $TUNE_SYNCHRONOUS says what a commit
// survives.
OpenedStudy open_study(const std::filesystem::path& store, const Spec& spec, const std::string& spec_text,
                       const Overrides& overrides);

// A study is read under any name that its folder may have been copied to, but goes on and promotes under its
// own alone: its trials lie in the folder. Throws Error(kEnvironment).
void require_own_name(const store::StudyStore& store);

// A study that is there, held against every other orchestrator, its database of the newest schema.
struct HeldStudy {
  FileLock lock;
  std::optional<store::StudyStore> store;  // absent when a process died while it made the study
};
// Throws as open_study().
HeldStudy hold_study(const std::filesystem::path& store, const std::string& study);
// The same of one whose database is there: throws Error(kNotFound) for any other.
HeldStudy require_held_study(const std::filesystem::path& store, const std::string& study);

// Where the spec of a study lies now: beside a store that was copied or moved together with it, else where it
// was.
std::filesystem::path spec_folder_now(const store::StudyRow& row, const std::filesystem::path& store);

// Keeps every other orchestrator away from a study whose folder is there, also one whose database cannot be
// read. Throws Error(kConflict).
FileLock lock_study(const std::filesystem::path& folder, const std::string& study);

// The row's limits follow a spec that is changed, but for those that were raised on the command line and that
// the spec has not changed. What was decided about a promotion is forgotten where the spec asks for another.
void take_limits(store::StudyRow& row, const Spec& spec, const std::vector<SpecChange>& changes);

}  // namespace tune::engine
