#include "tuner/engine/promotion/held_models.h"

#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/core/store_layout.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/crash_point.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPassingLink =
    "current.";  // and a token: the new link, before it takes the old one's place

fs::path with_folders(const fs::path& models) {
  on_disk(models, "create", [&] {
    // Rights that a person gives later stay.
    if (fs::create_directories(models)) fs::permissions(models, fs::perms::owner_all);
    fs::create_directories(staging_folder(models));
  });
  return models;
}

// The next number of the registry, or a later one where folders lie that the registry does not know: it may
// have been lost, and they are all that is left of those versions.
int free_version(const store::ModelRegistry& registry, const std::string& model, const fs::path& model_folder,
                 const std::vector<store::ModelFile>& files) {
  int version = registry.next_version(model);
  std::error_code error;
  for (fs::path folder; fs::exists(folder = version_folder(model_folder, version), error); ++version)
    if (damage_of(folder, files).empty()) break;
  return version;
}

void switch_current(const fs::path& model_folder, int version) {
  on_disk(model_folder, "switch the current version in", [&] {
    const fs::path link = model_folder / (kPassingLink + random_token());
    fs::create_symlink(version_folder({}, version), link);
    crash_point("promote_link");
    fs::rename(link, current_link(model_folder));
    sync_path(model_folder);
  });
}

}  // namespace

HeldModels::HeldModels(const fs::path& store_folder, const ModelHooks& hooks)
    : models_(with_folders(models_folder(store_folder))),
      lock_(FileLock::wait_for(registry_lock(models_), hooks.is_interrupted, hooks.notice)),
      registry_(emptied(), store::OpenMode::kCreate) {}

// The registry's file, once nothing is in staging that a process left which died while it copied.
fs::path HeldModels::emptied() {
  on_disk(models_, "empty", [&] {
    for (const auto& entry : fs::directory_iterator(staging_folder(models_))) {
      left_behind_.push_back({entry.path(), bytes_of(entry.path())});
      fs::remove_all(entry.path());
    }
  });
  return registry_file(models_);
}

fs::path HeldModels::folder_of(const std::string& model, int version) const {
  return version_folder(models_ / model, version);
}

fs::path HeldModels::new_staging() const { return staging_folder(models_) / random_token(); }

int HeldModels::add(store::ModelVersion version, const fs::path& staged) {
  const fs::path model_folder = models_ / version.model;
  on_disk(model_folder, "create", [&] { fs::create_directories(versions_folder(model_folder)); });
  version.version = free_version(registry_, version.model, model_folder, version.files);
  const fs::path folder = version_folder(model_folder, version.version);
  crash_point("promote_rename");
  on_disk(folder, "move the model to", [&] {
    fs::remove_all(folder);  // at most the same files, which a process left that died right here
    fs::rename(staged, folder);
    sync_path(folder.parent_path());
  });
  crash_point("promote_record");
  registry_.insert_version(version);
  crash_point("promote_log");
  return version.version;
}

// A process that died between the registry's commit and the link's rename left an old link, and perhaps the
// new one under its passing name: the registry is the truth.
void HeldModels::repair_link(const std::string& model) {
  const fs::path folder = models_ / model;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return;
  on_disk(folder, "clear", [&] {
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.is_symlink() && entry.path().filename().string().starts_with(kPassingLink))
        fs::remove(entry.path());
  });
  const int version = registry_.alias(model, kCurrentAlias);
  // A registry that was lost knows of no promotion: the link is all that is left of it.
  if (version == 0 && registry_.promotions(model).empty()) return;
  const fs::path target = fs::read_symlink(current_link(folder), error);
  if (version == 0) {
    if (!error) on_disk(folder, "remove the link in", [&] { fs::remove(current_link(folder)); });
  } else if (error || target != version_folder({}, version)) {
    switch_current(folder, version);
  }
}

}  // namespace tune::engine
