#pragma once
// SageMaker's built-in Object Detection as the built-in trainer of this project.
#include <string>

#include "tuner/import/amt_request.h"
#include "tuner/import/path_map.h"
#include "tuner/import/search_draft.h"

namespace tune::amt {

// The name of an algorithm in a registry path: "object-detection" of ".../object-detection:1".
std::string algorithm_of(const std::string& image);

inline constexpr const char* kDetection = "object-detection";

// The name that tune-train has for a hyperparameter of Object Detection.
std::string detection_name(const std::string& name);

// Leaves out the choices of `optimizer` that tune-train has not, and says so. False where none is left.
bool keep_known_optimizers(Range& optimizer, SearchDraft& draft);

// Adds `trainer`, and `fixed` with what the algorithm would take by default.
void write_detection(const Definition& definition, const PathMap& paths, SearchDraft& draft);

}  // namespace tune::amt
