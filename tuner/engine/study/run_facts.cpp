#include "tuner/engine/study/run_facts.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/attempt/attempt_launch.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/engine/devices/device_wait.h"
#include "tuner/os/run_program.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

// The middle of the space: a probe measures speed, which hardly depends on the values.
ParameterSet middle_of(const SearchSpace& space) {
  return space.from_unit(std::vector<double>(space.size(), 0.5));
}

bool computes_on_gpus(const Machine& machine, const Resources& resources) {
  return !machine.gpus.empty() && resources.gpus_per_trial.value_or(1) > 0;
}

constexpr std::chrono::seconds kGitLimit{3};

// Variables that make another repository, or another part of one, out of a folder's own: git sets them for
// its hooks (`git rev-parse --local-env-vars`), and people for themselves. What configures git stays.
const std::set<std::string> kOtherRepository{"GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                             "GIT_COMMON_DIR",
                                             "GIT_DIR",
                                             "GIT_GLOB_PATHSPECS",
                                             "GIT_GRAFT_FILE",
                                             "GIT_ICASE_PATHSPECS",
                                             "GIT_IMPLICIT_WORK_TREE",
                                             "GIT_INDEX_FILE",
                                             "GIT_LITERAL_PATHSPECS",
                                             "GIT_NAMESPACE",
                                             "GIT_NOGLOB_PATHSPECS",
                                             "GIT_NO_REPLACE_OBJECTS",
                                             "GIT_OBJECT_DIRECTORY",
                                             "GIT_PREFIX",
                                             "GIT_REPLACE_REF_BASE",
                                             "GIT_SHALLOW_FILE",
                                             "GIT_WORK_TREE"};

// Whether `git ls-files -v -z`, asked in `top`, names a file that git was told not to look at: a lower-case
// letter before it (--assume-unchanged), or an S (--skip-worktree). Of a sparse checkout the files that are
// not there have an S too.
bool hides_changes(const std::string& files, const fs::path& top, const std::function<bool()>& is_sparse) {
  std::istringstream entries(files);
  std::optional<bool> sparse;
  for (std::string entry; std::getline(entries, entry, '\0');) {
    if (entry.size() < 3) continue;
    if (entry[0] >= 'a' && entry[0] <= 'z') return true;
    if (entry[0] != 'S') continue;
    if (!sparse) sparse = is_sparse();
    std::error_code ignored;
    if (!*sparse || fs::exists(fs::symlink_status(top / entry.substr(2), ignored))) return true;
  }
  return false;
}

// Not the store itself, which may be the very folder of the code.
std::vector<fs::path> folders_in_store(const fs::path& store) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator at(fs::weakly_canonical(store, error), error), end; !error && at != end;
       at.increment(error)) {
    std::error_code unknown;
    const fs::path& folder = at->path();
    if (fs::exists(study_database(folder), unknown) ||
        (folder.filename() == kModelsFolder && fs::exists(registry_file(folder), unknown)) ||
        (folder.filename() == kComparisonsFolder && fs::is_directory(folder, unknown)))
      folders.push_back(folder);
  }
  return folders;
}

ProgramOutput run_git(const fs::path& folder, std::vector<std::string> arguments) {
  Program program{std::move(arguments), folder};
  program.environment = {{"GIT_OPTIONAL_LOCKS", "0"}};  // only looking: nobody's `git commit` has to wait
  program.time_limit = kGitLimit;
  program.ends_as_group = true;  // it may wait for programs of its own
  program.left_out = kOtherRepository;
  return run_program(program);
}

// What a repository ignores is not its code: interpreters and their starters lie so in a checkout of pyenv.
bool is_ignored(const fs::path& file) {
  try {
    return run_git(file.parent_path(), {"git", "check-ignore", "--quiet", "--", file.string()}).exit_code ==
           0;
  } catch (const ProgramTimeout&) {
    throw;
  } catch (const Error&) {
    return false;  // no git on this machine
  }
}

}  // namespace

std::optional<store::CodeState> git_state(const fs::path& folder, const fs::path& store) {
  try {
    const auto git = [&](std::vector<std::string> arguments) {
      return run_git(folder, std::move(arguments));
    };
    const ProgramOutput found = git({"git", "rev-parse", "HEAD", "--show-toplevel"});
    if (found.exit_code != 0) return std::nullopt;
    std::istringstream lines(found.out);
    std::string commit, top;
    std::getline(lines, commit);
    std::getline(lines, top);
    // Whatever the configuration says of files that are not tracked.
    std::vector<std::string> status = {
        "git", "status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=none", "--"};
    for (const fs::path& folder_of_tune : folders_in_store(store)) {
      const std::string below = folder_of_tune.lexically_relative(top).generic_string();
      if (!below.starts_with("..")) status.push_back(":(top,exclude,literal)" + below);
    }
    const ProgramOutput changes = git(std::move(status));
    bool clean = changes.exit_code == 0 && changes.out.empty();
    if (clean) {
      const ProgramOutput files = git({"git", "ls-files", "-v", "-z", "--full-name", "--", ":(top)"});
      const auto is_sparse = [&] {
        return git({"git", "config", "--type=bool", "core.sparseCheckout"}).out == "true\n";
      };
      clean = files.exit_code == 0 && !hides_changes(files.out, top, is_sparse);
    }
    return store::CodeState{commit, clean};
  } catch (const ProgramTimeout&) {
    throw;
  } catch (const Error&) {
    return std::nullopt;  // no git on this machine
  }
}

std::optional<store::CodeState> code_state(const Spec& spec, const fs::path& store) {
  std::set<fs::path> looked_at;
  const auto state_at = [&](const fs::path& file) -> std::optional<store::CodeState> {
    if (is_ignored(file) || !looked_at.insert(file.parent_path()).second) return std::nullopt;
    return git_state(file.parent_path(), store);
  };
  std::error_code error;
  for (std::size_t i = 1; i < spec.command.size(); ++i) {
    const fs::path file = spec.folder / spec.command[i];  // an absolute one stays as it is
    if (!fs::is_regular_file(file, error)) continue;
    const fs::path real = fs::canonical(file, error);
    if (error) continue;
    if (auto state = state_at(real)) return state;
  }
  // The program comes after what it is given: it may be an interpreter. The link to one in a virtual
  // environment leads to where that interpreter was built, and not to the code.
  if (!spec.command.empty()) {
    const fs::path program = spec.folder / spec.command.front();
    if (fs::is_regular_file(program, error))
      if (auto state = state_at(program.lexically_normal())) return state;
  }
  return git_state(spec.folder, store);
}

store::RunFacts run_facts(const Machine& machine, const std::string& version, const Spec& spec,
                          const fs::path& store, const std::function<void(const std::string&)>& notice) {
  store::RunFacts run;
  run.tune = version;
  run.sqlite = store::sqlite_facts().version;
  run.machine.host = machine.host;
  run.machine.cores = static_cast<int>(machine.cores.size());
  for (const Gpu& gpu : machine.gpus) run.machine.gpus.push_back({gpu.uuid, gpu.name, gpu.memory_total});
  run.machine.driver = machine.driver;
  try {
    run.code = code_state(spec, store);
  } catch (const ProgramTimeout& timeout) {
    notice(std::string(timeout.what()) + ": the state of the code is not recorded with this run");
  }
  return run;
}

void record_run(store::StudyFacts& facts, store::RunFacts run, WallTime began) {
  if (!facts.runs.empty()) {
    run.since = facts.runs.back().since;
    if (Json(run) == Json(facts.runs.back())) return;
  }
  run.since = began;
  facts.runs.push_back(std::move(run));
}

std::string probe_name(const Machine& machine, const Resources& resources) {
  if (!computes_on_gpus(machine, resources)) return machine.host + ": cpu";
  std::set<std::string> names;
  for (const Gpu& gpu : machine.gpus) names.insert(gpu.name);
  std::string text = machine.host + ":";
  for (const std::string& name : names) text += (text.back() == ':' ? " " : ", ") + name;
  return text;
}

ProbeRun run_on_share(const ProbeRequest& request, const DeviceShare& share, const ParameterSet& parameters,
                      const std::string& name) {
  const fs::path folder = request.study_folder / name;
  Attempt attempt = plan_attempt({request.spec, request.study_folder, request.seed},
                                 {{1, 1}, name, parameters, 1, false, {}});
  attempt.trial_json["checkpoint_dir"] = (folder / "checkpoints").string();
  attempt.trial_json["output_dir"] = (folder / kOutputFolder).string();
  attempt.trial_json["devices"] = share.devices;
  attempt.trial_json["threads"] = share.threads;
  if (share.processes > 1) attempt.trial_json["processes"] = share.processes;
  std::error_code error;
  fs::create_directories(folder / "checkpoints", error);
  if (!error) fs::create_directories(folder / kOutputFolder, error);
  if (error) throw Error(ExitCode::kEnvironment, "cannot create " + folder.string() + ": " + error.message());

  ProbeRun run{attempt.trial_json, folder, device_environment(share), {}, request.signals};
  run.environment.insert(attempt.secret_environment.begin(), attempt.secret_environment.end());
  for (const auto& [variable, value] : request.spec.environment)
    if (const auto* text = std::get_if<std::string>(&value)) run.environment.emplace(variable, *text);
  for (const Lease& lease : share.leases) run.inherited.push_back(lease.descriptor());
  return run;
}

std::optional<store::Probe> probe_machine(const ProbeRequest& request) {
  DevicePool pool(request.spec.limits.parallel, request.spec.resources);
  const std::optional<DeviceShare> share =
      wait_for_share(pool, {request.signals, request.notice, "tune-train is measured"});
  if (!share) return std::nullopt;
  const auto begin = std::chrono::steady_clock::now();
  std::optional<store::Probe> answer = probe_trainer(
      request.trainer, request.spec, run_on_share(request, *share, middle_of(request.spec.space), "probe"));
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begin;
  if (answer) {
    answer->lease_seconds = lasted.count();
    answer->leased_devices = std::max(1, static_cast<int>(share->devices.size()));
  }
  return answer;
}

}  // namespace tune::engine
