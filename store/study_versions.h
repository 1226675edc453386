#pragma once
// Which versions of models were made of a study's trials.
#include <filesystem>
#include <string>
#include <vector>

#include "store/model_registry.h"

namespace tune::store {

struct StudyVersion {
  ModelVersion version;
  bool is_current = false;
  std::vector<Promotion> promotions;  // by which an alias has come to it, the oldest first
};

// Of all models of the store, by name, each model's newest first; empty where there is no registry. What is
// older than the study is left out: it was made of an earlier study of that name, which was removed. Throws
// what ModelRegistry throws.
std::vector<StudyVersion> versions_of_study(const std::filesystem::path& store, const std::string& study,
                                            WallTime study_created);

}  // namespace tune::store
