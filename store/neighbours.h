#pragma once
// The studies of a store, and who else of them is on the same GPUs: those with equal `trials_per_gpu` may
// share one.
#include <filesystem>
#include <string>
#include <vector>

#include "store/study_store.h"

namespace tune::store {

// The names of the studies of the store in `folder` that have a database, sorted. Empty when there is no such
// folder.
std::vector<std::string> study_names(const std::filesystem::path& folder);

// Throws DamagedFile where the study has another name than its folder: tune makes no such one, and its trials
// lie in the folder.
void require_name_of_folder(const StudyStore& store);

// Whether a study's trials may share a GPU with others: its spec says so.
bool may_share_gpus(const StudyRow& study);

// Attempts of the other studies of the store in `folder` that were on a device of `own` while an attempt of
// `own` was on it, for device_shares(). An attempt that has no end counts with the time that its study has
// been seen alive, up to `now`. A study that cannot be read is left out: the command that opens it says why.
std::vector<AttemptRow> attempts_beside(const std::filesystem::path& folder, const std::string& study,
                                        const std::vector<AttemptRow>& own, WallTime now);

}  // namespace tune::store
