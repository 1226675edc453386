#include "tuner/engine/promotion/model_cleaning.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/promotion/lineage.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/held_locks.h"
#include "tuner/os/user.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

std::string versioned_name(const store::ModelVersion& version) {
  return version.model + "@" + std::to_string(version.version);
}

void require_unused(const store::ModelRegistry& registry, const store::ModelVersion& version,
                    const EndpointOf& endpoint_of) {
  for (const store::ModelAlias& alias : registry.aliases(version.model))
    if (alias.version == version.version)
      throw Error(ExitCode::kConflict,
                  versioned_name(version) + " is the " + alias.alias + " version, and is not deleted",
                  "`tune models rollback " + version.model + " --alias " + alias.alias +
                      "` goes back to the one before, `tune models alias remove " + version.model + " " +
                      alias.alias + "` leaves none");
  const std::string endpoint = endpoint_of ? endpoint_of(version.model, version.version) : std::string();
  if (!endpoint.empty())
    throw Error(
        ExitCode::kConflict,
        "the endpoint " + endpoint + " answers with " + versioned_name(version) + ", which is not deleted",
        "`tune undeploy " + endpoint + "` takes it down first");
}

// The number that the name of a version's folder is; 0 for any other name.
int version_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  int version = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), version);
  return problem == std::errc() && end == name.data() + name.size() && std::to_string(version) == name
             ? std::max(0, version)
             : 0;
}

bool holds_link(const fs::path& folder) {
  return on_disk(folder, "read", [&] {
    fs::recursive_directory_iterator at(folder), end;
    return std::any_of(at, end, [](const fs::directory_entry& entry) { return entry.is_symlink(); });
  });
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  if (!fs::exists(folder, error)) return entries;
  on_disk(folder, "read", [&] {
    for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  });
  std::sort(entries.begin(), entries.end());
  return entries;
}

// Out of sight at once, and gone when that is done.
void remove_folder(HeldModels& models, const fs::path& folder) {
  on_disk(folder, "remove", [&] {
    const fs::path staging = models.new_staging();
    fs::rename(folder, staging);
    sync_path(folder.parent_path());
    crash_point("model_moved_away");
    fs::remove_all(staging);
  });
}

// Looks through the models of a store. Lives for one call of clean_models().
class Cleaning {
 public:
  Cleaning(const fs::path& store_folder, Orphans orphans, bool only_looks, const EndpointOf& endpoint_of,
           const ModelHooks& hooks)
      : folder_(models_folder(store_folder)),
        orphans_(orphans),
        only_looks_(only_looks),
        endpoint_of_(endpoint_of),
        hooks_(hooks) {}

  std::vector<CleanedPlace> run(const fs::path& store_folder) {
    if (!only_looks_) {
      HeldModels models(store_folder, hooks_);
      for (const auto& [place, bytes] : models.left_behind())
        found_.push_back({Cleaned::kStaging, place, bytes});
      look(models.registry(), &models);
      return std::move(found_);
    }
    // While somebody holds the models, what lies in staging is theirs.
    if (!is_locked(registry_lock(folder_)))
      for (const fs::path& place : entries_of(staging_folder(folder_)))
        found_.push_back({Cleaned::kStaging, place, bytes_of(place)});
    std::error_code ignored;
    if (fs::exists(registry_file(folder_), ignored))
      look({registry_file(folder_), store::OpenMode::kRead}, nullptr);
    return std::move(found_);
  }

 private:
  // `models` is nullptr where nothing is to be changed.
  void look(const store::ModelRegistry& registry, HeldModels* models) {
    for (const fs::path& place : entries_of(folder_)) {
      std::error_code ignored;
      const std::string model = place.filename().string();
      if (!fs::is_directory(fs::symlink_status(place, ignored)) || !is_model_name(model)) continue;
      look_at_link(registry, model, models);
      std::vector<int> known;
      for (const store::ModelVersion& version : registry.versions(model)) known.push_back(version.version);
      const std::vector<int> deleted = registry.deleted_versions(model);
      const auto holds = [](const std::vector<int>& list, int number) {
        return std::find(list.begin(), list.end(), number) != list.end();
      };
      for (const fs::path& version : entries_of(versions_folder(place))) {
        const int number = version_of(version);
        if (holds(known, number)) continue;
        const bool is_deleted = holds(deleted, number);
        if (is_deleted || orphans_ == Orphans::kRemove)
          take_away(is_deleted ? Cleaned::kDeleted : Cleaned::kOrphan, model, version, number, models);
        else
          look_at_orphan(model, version, number, models);
      }
    }
  }

  void look_at_link(const store::ModelRegistry& registry, const std::string& model, HeldModels* models) {
    const fs::path link = current_link(folder_ / model);
    const int version = registry.alias(model, kCurrentAlias);
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    const bool is_good = version == 0 ? static_cast<bool>(error) || registry.promotions(model).empty()
                                      : !error && target == version_folder({}, version);
    if (!is_good) found_.push_back({Cleaned::kLink, link});
    if (models != nullptr) models->repair_link(model);
  }

  void take_away(Cleaned kind, const std::string& model, const fs::path& folder, int number,
                 HeldModels* models) {
    CleanedPlace& one = found_.emplace_back(CleanedPlace{kind, folder, bytes_of(folder)});
    const std::string endpoint = endpoint_of_ && number > 0 ? endpoint_of_(model, number) : std::string();
    one.is_kept = !endpoint.empty();
    if (one.is_kept)
      one.remark = "the endpoint " + endpoint + " answers with it";
    else if (models != nullptr)
      remove_folder(*models, folder);
  }

  void look_at_orphan(const std::string& model, const fs::path& folder, int number, HeldModels* models) {
    CleanedPlace& one = found_.emplace_back(CleanedPlace{Cleaned::kOrphan, folder, bytes_of(folder)});
    one.is_kept = true;
    if (orphans_ == Orphans::kKeep) {
      one.remark = "the registry does not know it: --adopt makes a version of it, --remove removes it";
      return;
    }
    one.remark = number == 0 ? "its name is no version's number" : output_problem(folder);
    if (one.remark.empty() && holds_link(folder)) one.remark = "it holds a link";
    if (!one.remark.empty()) return;
    one.is_kept = false;
    one.adopted = number;
    if (models == nullptr) return;
    store::ModelVersion version;
    version.model = model;
    version.version = number;
    version.created = SystemClock().wall_now();
    version.value = std::nan("");
    version.lineage = lineage_of_folder(folder).document;
    version.lineage["adopted"] = {{"folder", folder.string()}, {"who", asking_user()}};
    version.files = files_in(folder, hooks_.is_interrupted);
    models->registry().insert_version(version);
  }

  const fs::path folder_;
  const Orphans orphans_;
  const bool only_looks_;
  const EndpointOf& endpoint_of_;
  const ModelHooks& hooks_;
  std::vector<CleanedPlace> found_;
};

}  // namespace

std::uint64_t bytes_to_delete(const fs::path& store_folder, const ModelReference& version,
                              const EndpointOf& endpoint_of) {
  const fs::path models = models_folder(store_folder);
  const store::ModelRegistry registry(registry_file(models), store::OpenMode::kRead);
  const store::ModelVersion found = registry.resolve(version);
  require_unused(registry, found, endpoint_of);
  return bytes_of(version_folder(models / found.model, found.version));
}

std::uint64_t delete_version(const fs::path& store_folder, const ModelReference& version,
                             const std::string& note, const EndpointOf& endpoint_of,
                             const ModelHooks& hooks) {
  HeldModels models(store_folder, hooks);
  const store::ModelVersion found = models.registry().resolve(version);
  require_unused(models.registry(), found, endpoint_of);
  models.registry().remark({found.model, found.version, store::RemarkKind::kDeleted, note, asking_user(),
                            SystemClock().wall_now()});
  crash_point("model_deleted");
  const fs::path folder = models.folder_of(found.model, found.version);
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(folder, ignored))) return 0;
  const std::uint64_t bytes = bytes_of(folder);
  remove_folder(models, folder);
  return bytes;
}

std::vector<CleanedPlace> clean_models(const fs::path& store_folder, Orphans orphans, bool only_looks,
                                       const EndpointOf& endpoint_of, const ModelHooks& hooks) {
  std::error_code ignored;
  if (!fs::exists(models_folder(store_folder), ignored)) return {};
  return Cleaning(store_folder, orphans, only_looks, endpoint_of, hooks).run(store_folder);
}

}  // namespace tune::engine
