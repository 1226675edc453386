#pragma once
// Models as pages show them.
#include <filesystem>
#include <string>

#include "tuner/core/json.h"

namespace tune::serve {

OrderedJson models_json(const std::filesystem::path& store);  // all, in short
// One, as `tune models NAME --json` says it, and which endpoints serve it. Throws Error(kNotFound).
OrderedJson model_json(const std::filesystem::path& store, const std::string& model);

}  // namespace tune::serve
