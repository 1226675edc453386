#pragma once
// Where a store keeps a study that somebody names.
#include <filesystem>
#include <string>

#include "store/study_store.h"
#include "tuner/core/error.h"

namespace tune::live {

// STORE/STUDY. Error(kUsage) for a name that cannot be a study's ("models", one with '/', "..").
std::filesystem::path study_folder(const std::filesystem::path& store, const std::string& study);
// The study's database. Error(kNotFound) names the nearest study that exists.
std::filesystem::path require_study(const std::filesystem::path& store, const std::string& study);
// Opens it. Throws what require_study() throws.
store::StudyStore open_study_for_reading(const std::filesystem::path& store, const std::string& study);
// What to throw when the study has no such trial.
Error unknown_trial(const store::StudyStore& store, const std::string& study, int trial);

}  // namespace tune::live
