#pragma once
// A LocalRunner with the chaos trainer and leases in a temporary folder.
#include <cstdlib>
#include <fstream>
#include <optional>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/engine/local_runner.h"

namespace tune::engine {

// Sets a variable for as long as it lives.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  ~ScopedVariable() { set(old_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  void set(const std::optional<std::string>& value) {
    if (value)
      ::setenv(name_, value->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> old_;
};

struct RunnerFixture {
  tests::TemporaryFolder folder;
  ScopedVariable leases{"TUNE_LEASE_DIR", (folder.path() / "leases").string()};
  ScopedVariable nvml{"TUNE_NVML_LIBRARY", "/no/such/library.so"};
  ScopedVariable visible{"CUDA_VISIBLE_DEVICES", std::nullopt};

  LocalRunnerOptions options(std::optional<int> parallel = 2) const {
    LocalRunnerOptions result;
    result.parallel = parallel;
    result.supervisor = TUNE_BIN_DIR "/tune-supervisor";
    return result;
  }
  Attempt attempt(int trial, std::vector<std::string> acts) const {
    Attempt result;
    result.id = {trial, 1};
    result.token = "token-" + std::to_string(trial);
    result.folder = folder.path() / "trials" / std::to_string(trial) / "attempts" / "1";
    result.checkpoint_folder = folder.path() / "trials" / std::to_string(trial) / "checkpoints";
    std::filesystem::create_directories(result.folder);
    std::filesystem::create_directories(result.checkpoint_folder);
    result.argv = tests::chaos(std::move(acts));
    result.working_directory = folder.path();
    result.trial_json = {{"schema", 1}, {"trial", trial}, {"seed", 7}};
    result.metrics = {{"loss", "loss=(\\S+)", std::nullopt}};
    return result;
  }
  // Passes over progress and wakes until `id` has exited.
  static void wait_for_exit(TrialRunner& runner, AttemptId id) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (;;) {
      const RunnerEvent event = runner.wait(deadline);
      REQUIRE(event.kind != RunnerEventKind::kDeadline);
      if (event.kind == RunnerEventKind::kExited && event.id == id) return;
    }
  }
};

}  // namespace tune::engine
