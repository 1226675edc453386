#pragma once
// What travels with an exported version beside its files: a card for people and model hubs, and a manifest.
#include <filesystem>
#include <string>

#include "store/model_registry.h"

namespace tune::engine {

// The names that an export gives them. A version with a README.md of its own keeps it, and the card goes
// under the second name.
inline constexpr const char* kCardFile = "README.md";
inline constexpr const char* kSecondCardFile = "MODEL_CARD.md";
inline constexpr const char* kManifestFile = "tune-version.json";

// Markdown with the front matter of Hugging Face's model cards (YAML), `model-index` included. Says nothing
// that may change while the version stays the same. `folder` holds the version's files.
std::string model_card(const store::ModelVersion& version, const std::filesystem::path& folder);

// {"schema": 1, "model", "version", "created", "study", "trial", "metric", "goal", "reduce", "value",
// "lineage", "files": [{"path", "bytes", "sha256"}]}.
Json manifest_json(const store::ModelVersion& version);
// The version that a manifest tells of, as it was in its registry. Throws Error(kBadData) that names `file`
// for anything that manifest_json() does not give.
store::ModelVersion version_from_manifest(const Json& manifest, const std::filesystem::path& file);

}  // namespace tune::engine
