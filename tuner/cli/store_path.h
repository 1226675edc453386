#pragma once
// Where studies and models are: --store, else $TUNE_STORE, else ./tune-store.
#include <filesystem>
#include <string>

#include "store/study_store.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/core/error.h"
#include "tuner/live/study_place.h"

namespace tune::cli {

// Throws Error(kEnvironment) for a relative one when the current folder has been removed.
std::filesystem::path store_folder(const Parsed& options);
// Whether --store or $TUNE_STORE says where.
bool is_store_named(const Parsed& options);

using live::open_study_for_reading;
using live::require_study;
using live::study_folder;

struct TrialReference {
  std::string study;
  int trial = 0;  // 0: the whole study
};
// "STUDY/N". Error(kUsage) for anything else.
TrialReference parse_trial_reference(const std::string& text);
// "STUDY" or "STUDY/N".
TrialReference parse_reference(const std::string& text);
// STORE/STUDY/trials/N.
std::filesystem::path trial_folder(const std::filesystem::path& store, const TrialReference& reference);
// What to throw when the study has no such trial.
Error unknown_trial(const store::StudyStore& study, const TrialReference& reference);

}  // namespace tune::cli
