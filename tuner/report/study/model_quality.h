#pragma once
// What a model's own file, model.json, says about its quality beyond the objective.
#include <filesystem>
#include <vector>

#include "tuner/report/page/document.h"

namespace tune::report {

// The members of a model.json that say what the model is and how good; null when there is no such file, or
// none with such members; {"unread": why} when it is there and cannot be read.
Json read_model_file(const std::filesystem::path& file);

// Tables for "test" and "validation" of a model.json, where they are objects: their numbers, the classes
// ("classes": [{"name", numbers...}], as `tune-train evaluate --json` has them) and the confusion
// ("confusion": {"classes": [names], "counts": [[rows: true classes; columns: predicted ones]]}). What a file
// does not hold, or holds in another form, is left out.
std::vector<Block> quality_blocks(const Json& model);

}  // namespace tune::report
