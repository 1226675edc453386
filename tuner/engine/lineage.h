#pragma once
// Where a model comes from: everything that is needed to make it again.
#include <filesystem>

#include "store/study_store.h"

namespace tune::engine {

// Study, trial, the attempt's token, seed, hyperparameters, metrics, argv, data fingerprint and parent
// weights (from the trainer's own model.json, where it wrote one), and what was recorded when the run of that
// attempt began: commit of the spec's folder and whether it was clean, library versions, driver, GPU. What
// cannot be found out is null, never guessed.
Json lineage_of(const store::StudyStore& store, const store::TrialRow& trial,
                const std::filesystem::path& attempt_folder);

// {"commit": "...", "clean": true} of the git working folder that holds `folder`; null outside of one.
Json git_state(const std::filesystem::path& folder);

}  // namespace tune::engine
