#pragma once
// Takes studies and trials out of a store, whole, whatever kills the process meanwhile.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tuner/core/clock.h"

namespace tune::engine {

struct DeletionRequest {
  std::filesystem::path store;
  std::string study;
  int trial = 0;    // 0: the whole study
  std::string who;  // "ada@host"
};

// What a deletion would take away and what it would leave, for a person to agree to.
struct DeletionPreview {
  std::uintmax_t bytes = 0;
  std::vector<std::string> kept;   // versions of models that were made of it: they stay
  std::vector<std::string> notes;  // what else a person should know: it is the best trial, it was paused
};
// Throws Error(kNotFound); Error(kConflict) when somebody works on the study, a process of it lives still, or
// a comparison reads it.
DeletionPreview preview_deletion(const DeletionRequest& request);

// Deletes, and returns how many bytes were freed. A study's folder is set aside under another name first
// (STORE/.deleted), so that it is there whole or not at all. Of a trial the row stays as a tombstone, which
// says who deleted it, so that the numbers of the others stay; its metrics and files go. Its attempts' rows
// stay, since what they took of devices was taken. The same call goes on with what a process left that died.
// Throws as preview_deletion().
std::uintmax_t delete_from_store(const DeletionRequest& request, const Clock& clock);

// Finishes what processes that died had begun to delete: a sentence each. Studies that somebody works on are
// left alone. What cannot be deleted keeps nothing else from it.
struct FinishedDeletions {
  std::vector<std::string> done;
  std::vector<std::string> failed;  // with the system's reasons
};
FinishedDeletions finish_deletions(const std::filesystem::path& store);

}  // namespace tune::engine
