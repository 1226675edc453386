#pragma once
// The spec that a study keeps.
#include <filesystem>

#include "store/study_store.h"
#include "tuner/spec/spec.h"

namespace tune::live {

// The stored spec, its relative paths starting in `folder`. Throws SpecError for what an older tune has
// stored and this one objects to; DamagedFile, which names `file`, for a text that is not the study's.
Spec read_stored_spec(const store::StudyRow& row, const std::filesystem::path& folder,
                      const std::string& file);

}  // namespace tune::live
