#pragma once
// Comparisons as pages show them.
#include <filesystem>
#include <string>

#include "tuner/core/json.h"

namespace tune::serve {

OrderedJson comparisons_json(const std::filesystem::path& store);  // all, in short
// One, as `tune report NAME --json` says it, without its example images. Throws Error(kNotFound).
OrderedJson comparison_json(const std::filesystem::path& store, const std::string& name,
                            const std::string& version);

}  // namespace tune::serve
