#pragma once
// Where the promoted versions of a store's models stand: which of them an endpoint has.
#include <filesystem>
#include <string>
#include <vector>

namespace tune::report {

struct Deployment {
  std::string study;  // that the version was promoted from
  int trial = 0;
  std::string model;
  int version = 0;
  // The word of the endpoint that has it ("deploying", "deployed", "stopping"), else kNotDeployed.
  std::string state;
};

inline constexpr const char* kNotDeployed = "not deployed";

// Every version of the models of a store, newest first within a model; of several endpoints with one version
// the word of the one that is furthest. An endpoint whose supervisor has died has nothing. Empty for a store
// without models; throws what the registry throws when it cannot be read.
std::vector<Deployment> read_deployments(const std::filesystem::path& store);

}  // namespace tune::report
