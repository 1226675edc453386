#pragma once
// Where a model comes from: everything that is needed to make it again.
#include <filesystem>
#include <string>
#include <vector>

#include "store/study_store.h"

namespace tune::engine {

// Study, trial, the attempt's token, the study's seed and the trial's, hyperparameters, metrics, argv, data
// fingerprint and parent weights (from the trainer's own model.json, where it wrote one), and what was
// recorded when the run of that attempt began: commit of the code's folder and whether it was clean, library
// versions, driver, GPU. What cannot be found out is null, never guessed. The attempt's output folder must
// have no problem (model_files.h).
struct Lineage {
  Json document = Json::object();
  std::vector<std::string>
      unread;  // files that should have told of it and could not be read, each a sentence
};
Lineage lineage_of(const store::StudyStore& store, const store::TrialRow& trial,
                   const std::filesystem::path& attempt_folder);

// What a folder that no study left tells of itself by its model.json: metrics, data, parent weights,
// libraries.
Lineage lineage_of_folder(const std::filesystem::path& folder);

// The run that an attempt made at that time belongs to; nullptr when none was recorded by then.
const store::RunFacts* run_at(const store::StudyFacts& facts, WallTime time);

// Tells the trial's last attempt from those of a study of the same name that was removed; null without one.
Json token_of(const store::StudyStore& store, const store::TrialRow& trial);

}  // namespace tune::engine
