#include "tuner/endpoint/supervisor/chosen_versions.h"

#include <algorithm>

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/promotion/model_files.h"

namespace tune::endpoint {
namespace {

namespace fs = std::filesystem;

// Short: the supervisor asks again anyway, and has a worker to look after meanwhile.
constexpr Milliseconds kBusyTimeout{500};

ChosenVersion choose(const store::ModelRegistry& registry, const fs::path& models,
                     const ModelReference& reference) {
  const store::ModelVersion found = registry.resolve(reference);
  if (found.approval == store::Approval::kRejected)
    throw Error(
        ExitCode::kConflict,
        found.model + " version " + std::to_string(found.version) + " was rejected, so nobody is to use it",
        "deploy another version, or approve it again: `tune models approve " + found.model + "@" +
            std::to_string(found.version) + "`");
  return {found.model, found.version, version_folder(models / found.model, found.version), found.files};
}

}  // namespace

ChosenVersions choose_versions(const fs::path& store, const Endpoint& endpoint) {
  const fs::path models = models_folder(store);
  std::error_code ignored;
  if (!fs::exists(registry_file(models), ignored))
    throw Error(ExitCode::kNotFound, "nothing was promoted yet in " + store.string(),
                "`tune promote STUDY` makes a model; --store names another store");
  const store::ModelRegistry registry(registry_file(models), store::OpenMode::kRead, kBusyTimeout);
  ChosenVersions chosen{choose(registry, models, endpoint.model), {}};
  for (const auto& [name, reference] : endpoint.adapters)
    chosen.adapters[name] = choose(registry, models, reference);
  return chosen;
}

FileCheck::FileCheck(ChosenVersions versions, const ChosenVersions& known) : versions_(std::move(versions)) {
  const auto is_known = [&](const ChosenVersion& version) {
    return version == known.main ||
           std::any_of(known.adapters.begin(), known.adapters.end(),
                       [&](const auto& adapter) { return adapter.second == version; });
  };
  std::vector<ChosenVersion> unknown;
  if (!is_known(versions_.main)) unknown.push_back(versions_.main);
  for (const auto& [name, version] : versions_.adapters)
    if (!is_known(version)) unknown.push_back(version);
  damage_ = std::async(std::launch::async, [unknown = std::move(unknown), is_unwanted = is_unwanted_] {
    std::vector<std::string> damage;
    for (const ChosenVersion& version : unknown) {
      const std::vector<std::string> found =
          engine::damage_of(version.folder, version.files, [&] { return is_unwanted->load(); });
      damage.insert(damage.end(), found.begin(), found.end());
    }
    return damage;
  });
}

FileCheck::~FileCheck() {
  *is_unwanted_ = true;  // the future waits for its thread
}

bool FileCheck::is_done() const {
  return damage_.valid() && damage_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

std::vector<std::string> FileCheck::damage() { return damage_.get(); }

}  // namespace tune::endpoint
