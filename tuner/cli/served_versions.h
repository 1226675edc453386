#pragma once
// Which versions of models the endpoints of a store answer with.
#include <filesystem>
#include <string>
#include <vector>

namespace tune::cli {

// The endpoints that answer with a version of a model, or are about to, as STORE/endpoints/NAME/state.json
// says while their supervisors hold their locks. Throws Error(kEnvironment) for a state that cannot be read,
// since it might be this version.
std::vector<std::string> endpoints_of(const std::filesystem::path& store, const std::string& model,
                                      int version);

}  // namespace tune::cli
