#pragma once
// Whether promoted models are still what was promoted.
#include <filesystem>
#include <string>
#include <vector>

namespace tune::engine {

struct CheckedVersion {
  std::string model;
  int version = 0;
  std::filesystem::path folder;
  std::vector<std::string> damage;  // a sentence a file; empty when every file is as it was promoted
};

// Compares every version of the models in the registry, or of one of them, with the hashes that were stored
// when it was promoted. Reads every byte of them. None where there is no registry. Throws what the registry
// throws.
std::vector<CheckedVersion> check_versions(const std::filesystem::path& models, const std::string& only);

}  // namespace tune::engine
