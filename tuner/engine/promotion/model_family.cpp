#include "tuner/engine/promotion/model_family.h"

#include <algorithm>
#include <map>
#include <optional>

#include "tuner/core/store_layout.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

// All versions of a registry, by what their weights are. Lives for one call of family_of().
class Versions {
 public:
  Versions(const store::ModelRegistry& registry, const fs::path& models) : models_(models) {
    for (const std::string& model : registry.models())
      for (store::ModelVersion& version : registry.versions(model)) {
        for (const store::ModelFile& file : version.files)
          by_hash_.emplace(file.sha256, VersionName{model, version.version});
        all_.push_back(std::move(version));
      }
  }
  const std::vector<store::ModelVersion>& all() const { return all_; }

  const store::ModelVersion* find(const VersionName& name) const {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const store::ModelVersion& version) {
      return version.model == name.model && version.version == name.version;
    });
    return found == all_.end() ? nullptr : &*found;
  }

  // The version whose weights this one began with.
  std::optional<VersionName> parent_of(const store::ModelVersion& version) const {
    const Json weights = version.lineage.value("parent_weights", Json());
    const auto text = [&](const char* key) {
      return weights.is_object() && weights.contains(key) && weights.at(key).is_string()
                 ? weights.at(key).get<std::string>()
                 : std::string();
    };
    for (const char* key : {"sha256", "fingerprint"})
      if (const auto found = by_hash_.find(text(key)); found != by_hash_.end() && !is(found->second, version))
        return found->second;
    const auto at_path = version_at(weights.is_string() ? weights.get<std::string>() : text("path"));
    return at_path && !is(*at_path, version) ? at_path : std::nullopt;
  }

 private:
  static bool is(const VersionName& name, const store::ModelVersion& version) {
    return name.model == version.model && name.version == version.version;
  }

  // STORE/models/NAME/versions/V/...; what a link such as `current` led to then is not known any more.
  std::optional<VersionName> version_at(const std::string& path) const {
    if (path.empty()) return std::nullopt;
    const fs::path inside =
        fs::path(path).lexically_normal().lexically_relative(fs::absolute(models_).lexically_normal());
    std::vector<std::string> parts;
    for (const fs::path& part : inside) parts.push_back(part.string());
    if (parts.size() < 3 || parts[1] != versions_folder({}).string()) return std::nullopt;
    for (const store::ModelVersion& version : all_)
      if (version.model == parts[0] && std::to_string(version.version) == parts[2])
        return VersionName{version.model, version.version};
    return std::nullopt;
  }

  const fs::path models_;
  std::vector<store::ModelVersion> all_;
  std::multimap<std::string, VersionName> by_hash_;
};

}  // namespace

ModelFamily family_of(const store::ModelRegistry& registry, const fs::path& models_folder,
                      const store::ModelVersion& version) {
  const Versions versions(registry, models_folder);
  ModelFamily family;
  for (const store::ModelVersion* at = &version; at != nullptr;) {
    const auto parent = versions.parent_of(*at);
    // Weights that two versions share could lead in a circle.
    if (!parent ||
        std::find(family.ancestors.begin(), family.ancestors.end(), *parent) != family.ancestors.end())
      break;
    family.ancestors.push_back(*parent);
    at = versions.find(*parent);
  }
  const VersionName self{version.model, version.version};
  for (const store::ModelVersion& other : versions.all())
    if (versions.parent_of(other) == self) family.descendants.push_back({other.model, other.version});
  std::sort(family.descendants.begin(), family.descendants.end(), [](const auto& a, const auto& b) {
    return a.model != b.model ? a.model < b.model : a.version < b.version;
  });
  return family;
}

}  // namespace tune::engine
