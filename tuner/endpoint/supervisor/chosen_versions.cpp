#include "tuner/endpoint/supervisor/chosen_versions.h"

#include <algorithm>

#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/promotion/model_files.h"

namespace tune::endpoint {
namespace {

namespace fs = std::filesystem;

Error unknown_model(const store::ModelRegistry& registry, const std::string& model, const fs::path& models) {
  const auto guess = nearest_name(model, registry.models());
  return {ExitCode::kNotFound, "there is no model " + in_quotes(model) + " in " + models.string(),
          guess ? "did you mean \"" + *guess + "\"?" : "`tune models` lists them; --store names another store"};
}

Error unknown_version(const std::vector<store::ModelVersion>& versions, const ModelReference& reference) {
  std::string numbers;
  for (auto at = versions.rbegin(); at != versions.rend(); ++at)
    numbers += (numbers.empty() ? "" : ", ") + std::to_string(at->version);
  const std::string what = reference.version > 0 ? "version " + std::to_string(reference.version)
                                                 : "alias " + in_quotes(reference.alias);
  return {ExitCode::kNotFound, reference.model + " has no " + what,
          "its versions are " + numbers + "; `tune models " + reference.model + "` shows its aliases too"};
}

ChosenVersion choose(const store::ModelRegistry& registry, const fs::path& models,
                     const ModelReference& reference) {
  const std::vector<store::ModelVersion> versions = registry.versions(reference.model);
  if (versions.empty()) throw unknown_model(registry, reference.model, models);
  int number = reference.version;
  if (number == 0) {
    const std::optional<store::ModelVersion> named = registry.current(reference.model);
    if (reference.alias != kCurrentAlias || !named) throw unknown_version(versions, reference);
    number = named->version;
  }
  const auto found = std::find_if(versions.begin(), versions.end(),
                                  [&](const auto& version) { return version.version == number; });
  if (found == versions.end()) throw unknown_version(versions, reference);
  return {reference.model, number, version_folder(models / reference.model, number), found->files};
}

}  // namespace

ChosenVersions choose_versions(const fs::path& store, const Endpoint& endpoint) {
  const fs::path models = models_folder(store);
  std::error_code ignored;
  if (!fs::exists(registry_file(models), ignored))
    throw Error(ExitCode::kNotFound, "nothing was promoted yet in " + store.string(),
                "`tune promote STUDY` makes a model; --store names another store");
  const store::ModelRegistry registry(registry_file(models), store::OpenMode::kRead);
  ChosenVersions chosen{choose(registry, models, endpoint.model), {}};
  for (const auto& [name, reference] : endpoint.adapters)
    chosen.adapters[name] = choose(registry, models, reference);
  return chosen;
}

FileCheck::FileCheck(ChosenVersions versions, const ChosenVersions& known) : versions_(std::move(versions)) {
  const auto is_known = [&](const ChosenVersion& version) {
    return version == known.main || std::any_of(known.adapters.begin(), known.adapters.end(),
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
