#pragma once
// The folder of a store's models while one process writes there.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "store/model_registry.h"
#include "tuner/engine/promotion/model_files.h"
#include "tuner/os/file_lock.h"

namespace tune::engine {

// Whom a command that changes models works for.
struct ModelHooks {
  IsInterrupted is_interrupted = {};  // empty: never
  // Told a sentence when it has waited for a second for another process that changes models.
  std::function<void(const std::string&)> notice = {};
};

// STORE/models, locked: one process at a time makes folders there that the registry does not know yet. Made
// on the stack by whatever changes models, on one thread, and held as briefly as files take.
class HeldModels {
 public:
  // Waits for the lock, makes the folders where there are none, empties what a dead process left in staging,
  // and opens the registry. Throws Error(kInterrupted), Error(kEnvironment).
  HeldModels(const std::filesystem::path& store_folder, const ModelHooks& hooks);

  // What lay in staging, and its bytes.
  struct LeftBehind {
    std::filesystem::path place;
    std::uint64_t bytes = 0;
  };
  const std::vector<LeftBehind>& left_behind() const { return left_behind_; }

  store::ModelRegistry& registry() { return registry_; }
  std::filesystem::path folder_of(const std::string& model) const { return models_ / model; }
  std::filesystem::path folder_of(const std::string& model, int version) const;
  // A new name in staging, on the disk of the models. Nothing is there yet.
  std::filesystem::path new_staging() const;

  // Moves the staged files of `version` to their place under the next number that is free, and records them.
  // Returns the number. What is recorded has its files; a folder without a record is all that a death leaves.
  int add(store::ModelVersion version, const std::filesystem::path& staged);

  // Makes the link `current` lead where the registry says, and removes what a death left of one.
  void repair_link(const std::string& model);

 private:
  std::filesystem::path emptied();

  const std::filesystem::path models_;
  const FileLock lock_;
  std::vector<LeftBehind> left_behind_;
  store::ModelRegistry registry_;
};

}  // namespace tune::engine
