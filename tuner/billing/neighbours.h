#pragma once
// Which other studies of a store are on the same GPUs: those with equal `trials_per_gpu` may share one.
#include <filesystem>
#include <string>
#include <vector>

#include "store/study_store.h"

namespace tune::billing {

// Whether a study's trials may share a GPU with others: its spec says so.
bool may_share_gpus(const store::StudyRow& study);

// Attempts of the other studies of the store in `folder` that were on a device of `own` while an attempt of
// `own` was on it, for device_shares(). An attempt that has no end counts with the time that its study has
// been seen alive, up to `now`. A study that cannot be read is left out: the command that opens it says why.
std::vector<store::AttemptRow> attempts_beside(const std::filesystem::path& folder, const std::string& study,
                                               const std::vector<store::AttemptRow>& own, WallTime now);

}  // namespace tune::billing
