#include "tuner/engine/promotion/version_check.h"

#include "store/model_registry.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/promotion/model_files.h"

namespace tune::engine {

std::vector<CheckedVersion> check_versions(const std::filesystem::path& models, const std::string& only) {
  std::vector<CheckedVersion> checked;
  std::error_code ignored;
  if (!std::filesystem::exists(registry_file(models), ignored)) return checked;
  const store::ModelRegistry registry(registry_file(models), store::OpenMode::kRead);
  for (const std::string& model : registry.models()) {
    if (!only.empty() && model != only) continue;
    for (const store::ModelVersion& version : registry.versions(model)) {
      CheckedVersion& one = checked.emplace_back();
      one.model = model;
      one.version = version.version;
      one.folder = version_folder(models / model, version.version);
      one.damage = damage_of(one.folder, version.files);
    }
  }
  return checked;
}

}  // namespace tune::engine
