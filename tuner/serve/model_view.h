#pragma once
// Models as pages show them.
#include <filesystem>
#include <functional>
#include <string>

#include "tuner/core/json.h"
#include "tuner/http/message.h"

namespace tune::serve {

OrderedJson models_json(const std::filesystem::path& store);  // all, in short
// One, as `tune models NAME --json` says it, and which endpoints serve it. Throws Error(kNotFound).
OrderedJson model_json(const std::filesystem::path& store, const std::string& model);
// Points an alias at a version, by `tune models promote MODEL@VERSION --to ALIAS`: through the gate, and only
// if it still names what the page has shown. `body` is as alias_move_of() takes it. Throws Error(kNotFound),
// HttpError(409) with the gate's reason, or where the alias has moved.
http::Response promote_model(const std::filesystem::path& store, const std::string& model,
                             const std::string& body, const std::function<bool()>& is_interrupted);

}  // namespace tune::serve
