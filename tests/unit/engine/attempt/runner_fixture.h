#pragma once
// A LocalRunner with the chaos trainer and leases in a temporary folder.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/engine/attempt/local_runner.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/process.h"

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
  // Another process whose runner has started the attempt, and which then does nothing until it is killed. Its
  // channel stays open meanwhile, so the supervisor goes on. `pid_file` is the trainer's.
  struct Elsewhere {
    pid_t pid = -1;
    AttemptRecord record;
  };
  Elsewhere start_elsewhere(const Attempt& attempt, const std::string& pid_file) const {
    const std::filesystem::path note = folder.path() / "note";
    Elsewhere other;
    other.pid = ::fork();
    if (other.pid == 0) {
      LocalRunner runner(options());
      const AttemptRecord record = runner.start(attempt);
      write_file_atomically(
          note, std::to_string(record.supervisor_pid) + " " + std::to_string(record.supervisor_start_time));
      for (;;) ::pause();
    }
    tests::pid_in(pid_file);
    tests::wait_until([&] { return std::filesystem::exists(note); }, "the record is there");
    other.record.id = attempt.id;
    other.record.token = attempt.token;
    other.record.folder = attempt.folder;
    other.record.boot_id = boot_id();
    std::ifstream(note) >> other.record.supervisor_pid >> other.record.supervisor_start_time;
    return other;
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
