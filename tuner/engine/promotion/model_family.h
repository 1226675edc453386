#pragma once
// How versions descend from each other: by the weights that a training began with.
#include <filesystem>
#include <string>
#include <vector>

#include "store/model_registry.h"

namespace tune::engine {

struct VersionName {
  std::string model;
  int version = 0;
  bool operator==(const VersionName&) const = default;
};

struct ModelFamily {
  std::vector<VersionName> ancestors;    // the version whose weights it began with, that one's, and so on
  std::vector<VersionName> descendants;  // versions that began with its weights, by name
};

// Looks through all versions of the store's registry. The weights that a version began with are known by
// their SHA-256, or by a path into the store's models.
ModelFamily family_of(const store::ModelRegistry& registry, const std::filesystem::path& models_folder,
                      const store::ModelVersion& version);

}  // namespace tune::engine
