#include "tuner/engine/lineage.h"

#include <set>
#include <sstream>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/regular_file.h"
#include "tuner/engine/attempt_plan.h"
#include "tuner/engine/run_program.h"
#include "tuner/engine/study_facts.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kGitLimit{10};

constexpr std::uint64_t kMostBytes = 16'000'000;  // it describes a model or a command; weights are elsewhere

// A JSON file's content; null when there is none, or it cannot be read, which is noted.
Json json_file(const fs::path& file, std::vector<std::string>& unread) {
  JsonFile content = read_json_file(file, kMostBytes);
  if (!content.spoilt.empty()) unread.push_back(std::move(content.spoilt));
  return std::move(content.value);
}

// A file of the output, which may be a link to another one there.
Json output_file(const fs::path& file, std::vector<std::string>& unread) {
  std::error_code error;
  const fs::path target = fs::is_symlink(file, error) ? fs::canonical(file, error) : file;
  return json_file(target, unread);
}

Json member(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) ? object[name] : Json(nullptr);
}

Json without(Json object, const char* name) {
  if (object.is_object()) object.erase(name);
  return object;
}

// What tune-train calls it, or a trainer of one's own may call it.
Json first_of(const Json& object, const char* name, const char* other) {
  const Json found = member(object, name);
  return found.is_null() ? member(object, other) : found;
}

// The last attempt is the one that left the output.
std::optional<store::AttemptRow> last_attempt(const store::StudyStore& store, const store::TrialRow& trial) {
  for (store::AttemptRow& row : store.attempts(trial.number))
    if (row.attempt == trial.attempts) return std::move(row);
  return std::nullopt;
}

Json last_metrics(const store::StudyStore& store, int trial) {
  Json metrics = Json::object();
  for (const store::MetricRow& row : store.metrics(trial))
    metrics[row.name] = {{"value", number_to_json(row.point.value)}, {"step", row.point.step}};
  return metrics;
}

// Not the store itself, which may be the very folder of the code.
std::vector<fs::path> folders_in_store(const fs::path& store) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator at(fs::weakly_canonical(store, error), error), end; !error && at != end;
       at.increment(error)) {
    std::error_code unknown;
    const fs::path& folder = at->path();
    if (fs::exists(folder / "study.db", unknown) ||
        (folder.filename() == "models" && fs::exists(folder / "registry.db", unknown)) ||
        (folder.filename() == "comparisons" && fs::is_directory(folder, unknown)))
      folders.push_back(folder);
  }
  return folders;
}

}  // namespace

Json git_state(const fs::path& folder, const fs::path& store) {
  try {
    const auto git = [&](std::vector<std::string> arguments) {
      Program program{std::move(arguments), folder};
      program.environment = {{"GIT_OPTIONAL_LOCKS", "0"}};  // only looking: nobody's `git commit` has to wait
      program.time_limit = kGitLimit;
      return run_program(program);
    };
    const ProgramOutput found = git({"git", "rev-parse", "HEAD", "--show-toplevel"});
    if (found.exit_code != 0) return nullptr;
    std::istringstream lines(found.out);
    std::string commit, top;
    std::getline(lines, commit);
    std::getline(lines, top);
    std::vector<std::string> status = {"git", "status", "--porcelain", "--"};
    for (const fs::path& folder_of_tune : folders_in_store(store)) {
      const std::string below = folder_of_tune.lexically_relative(top).generic_string();
      if (!below.starts_with("..")) status.push_back(":(top,exclude,literal)" + below);
    }
    const ProgramOutput changes = git(std::move(status));
    return {{"commit", commit}, {"clean", changes.exit_code == 0 && changes.out.empty()}};
  } catch (const Error&) {
    return nullptr;  // no git on this machine, or a disk too slow for it
  }
}

Json code_state(const Spec& spec, const fs::path& store) {
  std::set<fs::path> looked_at;
  for (const std::string& element : spec.command) {
    const fs::path file = spec.folder / element;  // an absolute one stays as it is
    std::error_code error;
    if (!fs::is_regular_file(file, error)) continue;
    const fs::path folder = fs::canonical(file, error).parent_path();
    if (error || !looked_at.insert(folder).second) continue;
    if (Json state = git_state(folder, store); !state.is_null()) return state;
  }
  return git_state(spec.folder, store);
}

Json token_of(const store::StudyStore& store, const store::TrialRow& trial) {
  const std::optional<store::AttemptRow> attempt = last_attempt(store, trial);
  return attempt ? Json(attempt->token) : Json(nullptr);
}

Lineage lineage_of(const store::StudyStore& store, const store::TrialRow& trial,
                   const fs::path& attempt_folder) {
  const store::StudyRow study = store.study();
  Lineage lineage;
  const Json launch = json_file(attempt_folder / kLaunchFile, lineage.unread),
             model = output_file(attempt_folder / kOutputFolder / "model.json", lineage.unread);
  // The promoted weights are the best checkpoint's, and only the trainer knows what else they reached.
  const Json metrics = member(model, "metrics");
  const std::optional<store::AttemptRow> attempt = last_attempt(store, trial);
  const Json run = attempt ? run_at(study.facts, attempt->created) : Json(nullptr);
  Json parameters = Json::object();
  for (const auto& [name, value] : trial.parameters) parameters[name] = value;
  lineage.document = {
      {"study", study.name},
      {"trial", trial.number},
      {"attempt", trial.attempts},
      {"token", attempt ? Json(attempt->token) : Json(nullptr)},
      {"study_seed", study.seed},
      {"trial_seed", trial_seed(study.seed, trial.number)},
      {"parameters", parameters},
      {"fixed", member(study.spec, "fixed")},
      {"trainer", member(study.spec, "trainer")},
      {"metrics", metrics.is_null() ? last_metrics(store, trial.number) : metrics},
      {"argv", member(launch, "argv")},
      {"data_fingerprint", first_of(member(model, "data"), "fingerprint", "data_fingerprint")},
      {"parent_weights", first_of(model, "initial_weights", "parent_weights")},
      {"libraries", member(model, "libraries")},
      {"code", member(run, "code")},
      {"run", without(run, "code")}};
  return lineage;
}

}  // namespace tune::engine
