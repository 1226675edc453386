#pragma once
// Which versions an endpoint is to serve just now, and whether their files are as they were promoted.
#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/model_registry.h"
#include "tuner/endpoint/endpoint.h"

namespace tune::endpoint {

struct ChosenVersion {
  std::string model;
  int version = 0;
  std::filesystem::path folder;
  std::vector<store::ModelFile> files;
  bool operator==(const ChosenVersion& other) const {
    return model == other.model && version == other.version;
  }
  std::string text() const { return model + " version " + std::to_string(version); }
};

// The model and its adapters, as their references name them.
struct ChosenVersions {
  ChosenVersion main;
  std::map<std::string, ChosenVersion> adapters;
  bool operator==(const ChosenVersions&) const = default;
};

// Reads the registry of the store. Throws Error(kNotFound) for a model, version or alias that is not there,
// Error(kConflict) for a version that was rejected and where other processes hold the registry too long.
ChosenVersions choose_versions(const std::filesystem::path& store, const Endpoint& endpoint);

// Compares every file of chosen versions with its hash, on a thread of its own, which ends with this. Owned
// by the supervisor, on its thread.
class FileCheck {
 public:
  // Those that `known` has too were looked at before and are left out.
  FileCheck(ChosenVersions versions, const ChosenVersions& known);
  ~FileCheck();
  FileCheck(const FileCheck&) = delete;
  FileCheck& operator=(const FileCheck&) = delete;

  const ChosenVersions& versions() const { return versions_; }
  bool is_done() const;
  // Once it is done: how they differ from what was promoted, a sentence a file; empty when they do not.
  // Throws Error(kEnvironment) where one cannot be read.
  std::vector<std::string> damage();

 private:
  ChosenVersions versions_;
  std::shared_ptr<std::atomic<bool>> is_unwanted_ = std::make_shared<std::atomic<bool>>(false);
  std::future<std::vector<std::string>> damage_;
};

}  // namespace tune::endpoint
