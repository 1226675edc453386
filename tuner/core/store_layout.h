#pragma once
// Where a store keeps its studies, models and comparisons. What lies within a study's folder for its trials
// is in attempt_layout.h; STUDY/inbox is engine::Inbox's.
#include <filesystem>
#include <string>
#include <string_view>

namespace tune {

// The folders of a store that no study's name may be.
inline constexpr std::string_view kModelsFolder = "models";
inline constexpr std::string_view kComparisonsFolder = "comparisons";
inline constexpr std::string_view kEndpointsFolder = "endpoints";
inline bool is_folder_of_store(std::string_view name) {
  return name == kModelsFolder || name == kComparisonsFolder || name == kEndpointsFolder;
}

// Of STORE/STUDY. Whoever works on a study holds its lock.
inline std::filesystem::path study_database(const std::filesystem::path& study_folder) {
  return study_folder / "study.db";
}
inline std::filesystem::path study_lock(const std::filesystem::path& study_folder) {
  return study_folder / "lock";
}

// STORE/models: a folder for each model, the registry, its lock, and what is being copied.
inline constexpr std::string_view kRegistryFile = "registry.db";
inline std::filesystem::path models_folder(const std::filesystem::path& store) {
  return store / kModelsFolder;
}
inline std::filesystem::path registry_file(const std::filesystem::path& models) {
  return models / kRegistryFile;
}
inline std::filesystem::path registry_lock(const std::filesystem::path& models) { return models / "lock"; }
inline std::filesystem::path staging_folder(const std::filesystem::path& models) {
  return models / "staging";
}
inline std::filesystem::path versions_folder(const std::filesystem::path& model_folder) {
  return model_folder / "versions";
}
inline std::filesystem::path version_folder(const std::filesystem::path& model_folder, int version) {
  return versions_folder(model_folder) / std::to_string(version);
}
// A link to the current version's folder.
inline std::filesystem::path current_link(const std::filesystem::path& model_folder) {
  return model_folder / "current";
}
// Names within STORE/models that are not models'. SQLite keeps files of its own beside the registry.
inline bool is_taken_in_models(std::string_view name) {
  return name == "staging" || name == "lock" || name.starts_with(kRegistryFile);
}

// STORE/comparisons/NAME: comparison.db, lock, groups.json, scorings/K/, comparison.md, set-aside/.
inline std::filesystem::path comparison_folder(const std::filesystem::path& store, const std::string& name) {
  return store / kComparisonsFolder / name;
}
inline std::filesystem::path comparison_database(const std::filesystem::path& comparison_folder) {
  return comparison_folder / "comparison.db";
}
inline std::filesystem::path comparison_lock(const std::filesystem::path& comparison_folder) {
  return comparison_folder / "lock";
}
// The studies that were trained for it in vain.
inline std::filesystem::path studies_set_aside(const std::filesystem::path& comparison_folder) {
  return comparison_folder / "set-aside";
}

// STORE/endpoints/NAME: endpoint.json (what was asked for), state.json (what has become of it), lock, log,
// token and authorization.
inline std::filesystem::path endpoints_folder(const std::filesystem::path& store) {
  return store / kEndpointsFolder;
}
inline std::filesystem::path endpoint_folder(const std::filesystem::path& store, const std::string& name) {
  return endpoints_folder(store) / name;
}

}  // namespace tune
