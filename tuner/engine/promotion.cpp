#include "tuner/engine/promotion.h"

#include <algorithm>

#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/core/sha256.h"
#include "tuner/core/spec_text_rules.h"
#include "tuner/engine/attempt_plan.h"
#include "tuner/engine/crash_point.h"
#include "tuner/engine/file_lock.h"
#include "tuner/engine/lineage.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPassingLink =
    "current.";  // and a token: the new link, before it takes the old one's place

// Runs a file operation and turns its failure into our error, with the path.
template <typename Operation>
auto on_disk(const fs::path& path, const char* what, Operation operation) {
  try {
    return operation();
  } catch (const fs::filesystem_error& error) {
    throw Error(ExitCode::kEnvironment,
                std::string("cannot ") + what + " " + path.string() + ": " + error.code().message());
  }
}

store::TrialRow trial_to_promote(const store::StudyStore& store, const std::optional<int>& chosen) {
  if (chosen) {
    const std::optional<store::TrialRow> trial = store.trial(*chosen);
    if (!trial) throw Error(ExitCode::kNotFound, "there is no trial " + std::to_string(*chosen));
    if (trial->state != TrialState::kCompleted || trial->values.empty())
      throw Error(ExitCode::kConflict, "trial " + std::to_string(*chosen) + " is " + to_string(trial->state) +
                                           ", and only a completed trial with a value can be promoted");
    return *trial;
  }
  const History history = store.load_history();
  const TrialView* best = history.best();
  if (!best) throw Error(ExitCode::kNotFound, "no trial of this study has completed with a value");
  return *store.trial(best->number);
}

// Whether a regular file below the folder is worth promoting: there is at least one.
bool holds_files(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    std::error_code unreadable;
    if (entry.is_regular_file(unreadable)) return true;
  }
  return false;
}

// A link may lead to a file of the same output, as "last" does to "best": that file's bytes travel with it.
bool leads_to_file_within(const fs::path& link, const fs::path& output) {
  std::error_code error;
  const fs::path target = fs::canonical(link, error),
                 root = error ? fs::path() : fs::canonical(output, error);
  if (error || !fs::is_regular_file(target, error)) return false;
  return std::mismatch(root.begin(), root.end(), target.begin(), target.end()).first == root.end();
}

// What in the output would not travel with the model: a link to elsewhere, a FIFO. Empty when all would.
std::string unpromotable_entry(const fs::path& output) {
  return on_disk(output, "read", [&]() -> std::string {
    for (const auto& entry : fs::recursive_directory_iterator(output)) {
      if (entry.is_symlink() ? !leads_to_file_within(entry.path(), output)
                             : !entry.is_directory() && !entry.is_regular_file())
        return entry.path().string();
    }
    return {};
  });
}

// Hard links would let a later write to the output change the version, so bytes are copied.
std::vector<store::ModelFile> copy_and_hash(const fs::path& from, const fs::path& to) {
  std::vector<store::ModelFile> files;
  on_disk(to, "copy the model to", [&] {
    fs::create_directories(to);
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
      const fs::path relative = entry.path().lexically_relative(from), target = to / relative;
      if (entry.is_directory()) {
        fs::create_directories(target);
        continue;
      }
      fs::copy_file(entry.path(), target);
      sync_path(target);
      const store::ModelFile file{relative.generic_string(), fs::file_size(target), sha256_of_file(target)};
      if (file.sha256 != sha256_of_file(entry.path()))
        throw Error(ExitCode::kEnvironment,
                    target.string() + " is not what was copied: the disk or memory is at fault");
      files.push_back(file);
    }
    for (const auto& entry : fs::recursive_directory_iterator(to))
      if (entry.is_directory()) sync_path(entry.path());
    sync_path(to);
  });
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

// Whether the folder holds these files and no others.
bool holds_exactly(const fs::path& folder, const std::vector<store::ModelFile>& files) {
  return on_disk(folder, "read", [&] {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) count += entry.is_regular_file();
    return count == files.size() && std::all_of(files.begin(), files.end(), [&](const auto& file) {
             const fs::path path = folder / file.path;
             return fs::is_regular_file(path) && sha256_of_file(path) == file.sha256;
           });
  });
}

// The next number of the registry, or a later one where folders lie that the registry does not know: it may
// have been lost, and they are all that is left of those versions.
int free_version(const store::ModelRegistry& registry, const std::string& model, const fs::path& model_folder,
                 const std::vector<store::ModelFile>& files) {
  int version = registry.next_version(model);
  std::error_code error;
  for (fs::path folder; fs::exists(folder = model_folder / "versions" / std::to_string(version), error);
       ++version)
    if (holds_exactly(folder, files)) break;
  return version;
}

void switch_current(const fs::path& model_folder, int version) {
  on_disk(model_folder, "switch the current version in", [&] {
    const fs::path link = model_folder / (kPassingLink + random_token());
    fs::create_symlink(fs::path("versions") / std::to_string(version), link);
    crash_point("promote_link");
    fs::rename(link, model_folder / "current");
    sync_path(model_folder);
  });
}

// A process that died between the registry's commit and the link's rename left an old link, and perhaps the
// new one under its passing name: the registry is the truth.
void repair_link(const store::ModelRegistry& registry, const fs::path& models, const std::string& model) {
  on_disk(models / model, "clear", [&] {
    for (const auto& entry : fs::directory_iterator(models / model))
      if (entry.is_symlink() && entry.path().filename().string().starts_with(kPassingLink))
        fs::remove(entry.path());
  });
  const std::optional<store::ModelVersion> current = registry.current(model);
  if (!current) return;
  std::error_code error;
  const fs::path target = fs::read_symlink(models / model / "current", error);
  if (error || target != fs::path("versions") / std::to_string(current->version))
    switch_current(models / model, current->version);
}

// Whether the version was made of this trial. A study of the same name may have been removed and started
// anew: only the attempt's token tells its trials from the old ones.
bool is_of(const store::ModelVersion& version, const std::string& study, const store::TrialRow& trial,
           const Json& lineage) {
  const Json token = version.lineage.value("token", Json());
  return version.study == study && version.trial == trial.number && version.value == trial.values.front() &&
         token == lineage.at("token");
}

// The version that was made of this trial already; nullopt when there is none.
std::optional<int> recorded_before(const store::ModelRegistry& registry, const std::string& study,
                                   const store::TrialRow& trial, const Json& lineage,
                                   const std::string& model, const fs::path& model_folder) {
  for (const store::ModelVersion& version : registry.versions(model)) {
    std::error_code error;
    if (is_of(version, study, trial, lineage) &&
        fs::exists(model_folder / "versions" / std::to_string(version.version), error))
      return version.version;
  }
  return std::nullopt;
}

// Makes `result.version` the current one: the registry first, which is the truth, then the link.
void switch_to(store::ModelRegistry& registry, PromotionResult& result, const std::string& model,
               const fs::path& model_folder, const Objective& objective, double value,
               const std::optional<store::ModelVersion>& current) {
  registry.promote({model,
                    current ? current->version : 0,
                    result.version,
                    result.reason,
                    {{"metric", objective.metric},
                     {"value", value},
                     {"current_value", current ? Json(current->value) : Json(nullptr)}},
                    SystemClock().wall_now()});
  crash_point("promote_switch");
  switch_current(model_folder, result.version);
  result.promoted = true;
}

void check_name(const std::string& model) {
  if (!kModelName.accepts(model))
    throw Error(ExitCode::kUsage, "\"" + model + "\" cannot be a model's name", std::string(kModelName.says));
}

}  // namespace

Gate judge_promotion(const Objective& objective, double value,
                     const std::optional<store::ModelVersion>& current, bool chosen_by_person) {
  const std::string ours = objective.metric + " " + shortest(value);
  if (!current) return {true, "first version, with " + ours};
  const std::string theirs = "version " + std::to_string(current->version) + " has " +
                             current->objective.metric + " " + shortest(current->value);
  if (chosen_by_person) return {true, "chosen by a person, with " + ours + "; " + theirs};
  if (current->objective.metric != objective.metric || current->objective.goal != objective.goal)
    return {false, theirs + ", which cannot be compared with " + ours};
  if (is_better(value, current->value, objective.goal)) return {true, ours + " is better: " + theirs};
  return {false, ours + " is not better: " + theirs};
}

PromotionResult promote_trial(const store::StudyStore& store, const PromotionRequest& request) {
  check_name(request.model);
  const store::StudyRow study = store.study();
  const store::TrialRow trial = trial_to_promote(store, request.trial);
  const double value = trial.values.front();
  const fs::path models = request.store_folder / "models", model_folder = models / request.model;
  const fs::path attempt = attempt_folder(request.store_folder / study.name, {trial.number, trial.attempts});
  PromotionResult result{false, trial.number, 0, {}, {}};

  on_disk(models, "create", [&] {
    // Rights that a person gives later stay.
    if (fs::create_directories(models)) fs::permissions(models, fs::perms::owner_all);
    fs::create_directories(model_folder / "versions");
    fs::create_directories(models / "staging");
  });
  // One promotion at a time in this store: version folders are made before they are recorded.
  const FileLock lock = FileLock::wait_for(models / "lock", request.is_interrupted);
  on_disk(models, "empty", [&] {
    for (const auto& entry : fs::directory_iterator(models / "staging")) fs::remove_all(entry.path());
  });
  store::ModelRegistry registry(models / "registry.db", store::OpenMode::kCreate);
  repair_link(registry, models, request.model);

  const std::optional<store::ModelVersion> current = registry.current(request.model);
  const Json lineage = lineage_of(store, trial, attempt);
  if (current && is_of(*current, study.name, trial, lineage)) {
    result.version = current->version;
    result.folder = model_folder / "versions" / std::to_string(current->version);
    result.reason = "this trial is the current version already";
    result.promoted = true;
    return result;
  }
  const Gate gate = judge_promotion(study.objective, value, current, request.trial.has_value());
  result.reason = gate.reason;
  if (!gate.passes) return result;
  if (!holds_files(attempt / "output")) {
    result.reason =
        "trial " + std::to_string(trial.number) + " left nothing in its output folder ($TUNE_OUTPUT_DIR)";
    return result;
  }
  if (const std::string entry = unpromotable_entry(attempt / "output"); !entry.empty()) {
    result.reason = entry + " is neither a file nor a folder, nor a link to a file of this output: let the " +
                    "trainer write the file itself into $TUNE_OUTPUT_DIR";
    return result;
  }

  if (const auto recorded =
          recorded_before(registry, study.name, trial, lineage, request.model, model_folder)) {
    // A process died between recording this version and promoting it.
    result.version = *recorded;
    result.folder = model_folder / "versions" / std::to_string(*recorded);
    switch_to(registry, result, request.model, model_folder, study.objective, value, current);
    return result;
  }
  const fs::path staging = models / "staging" / random_token();
  crash_point("promote_stage");
  store::ModelVersion version{request.model,
                              0,
                              SystemClock().wall_now(),
                              study.name,
                              trial.number,
                              study.objective,
                              value,
                              lineage,
                              copy_and_hash(attempt / "output", staging)};
  version.version = free_version(registry, request.model, model_folder, version.files);
  result.version = version.version;
  result.folder = model_folder / "versions" / std::to_string(version.version);
  crash_point("promote_rename");
  on_disk(result.folder, "move the model to", [&] {
    fs::remove_all(result.folder);  // at most the same files, which a process left that died right here
    fs::rename(staging, result.folder);
    sync_path(result.folder.parent_path());
  });
  crash_point("promote_record");
  registry.insert_version(version);
  crash_point("promote_log");
  switch_to(registry, result, request.model, model_folder, study.objective, value, current);
  return result;
}

std::uint64_t remove_losing_checkpoints(const store::StudyStore& store, const fs::path& study_folder,
                                        int keep) {
  std::uint64_t freed = 0;
  for (const store::TrialRow& trial : store.trials()) {
    if (trial.number == keep || !is_finished(trial.state)) continue;
    const fs::path folder = checkpoint_folder(study_folder, trial.number);
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(folder, error))
      if (entry.is_regular_file(error)) freed += entry.file_size(error);
    fs::remove_all(folder, error);
  }
  return freed;
}

}  // namespace tune::engine
