#pragma once
// How something is asked of a study, whether some `tune` works on it at this moment or not.
#include <filesystem>
#include <functional>
#include <string>

#include "tuner/core/json.h"
#include "tuner/spec/spec.h"

namespace tune::live {

// The stored spec of a study that takes requests. Throws Error(kNotFound); Error(kConflict) for one whose
// trials another program runs, with what that program does in place of the command (of the trial where it is
// not 0).
Spec requestable_spec(const std::filesystem::path& store, const std::string& study,
                      const std::string& command, int trial = 0);

// Hands the request to the study's orchestrator, or obeys it at once where none runs, and returns what was
// done, a sentence. `store` is absolute. Throws what the answer says: Error(kUsage), (kNotFound),
// (kConflict); Error(kConflict) for what would change the trials of a comparison's study; Error(kEnvironment)
// when the study runs on another machine or its orchestrator does not answer; Error(kInterrupted) once
// `is_interrupted` says so. The request stays in the inbox where its answer did not come in time.
std::string ask_study(const std::filesystem::path& store, const std::string& study,
                      const std::string& command, Json arguments,
                      const std::function<bool()>& is_interrupted);

}  // namespace tune::live
