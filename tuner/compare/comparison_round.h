#pragma once
// A comparison whose budget was raised after it had ended something: what was frozen and scored is kept, and
// another round of training, freezing and scoring begins.
#include <filesystem>
#include <string>
#include <vector>

#include "store/comparison_store.h"

namespace tune::compare {

// Keeps the folder's comparison.db as comparison-K.db, and puts in its place, at once, one with `row` in
// which nothing is frozen. Its facts say how often the test images were looked at before, and what that took.
// The caller holds the comparison's lock, and has no connection to the file.
void begin_round(const std::filesystem::path& folder, store::ComparisonRow row);

// Moves a study into the comparison's folder, where it stays with what it has cost. Throws Error(kConflict)
// while another process works on it.
void set_study_aside(const std::filesystem::path& store, const std::string& comparison,
                     const std::string& study);

}  // namespace tune::compare
