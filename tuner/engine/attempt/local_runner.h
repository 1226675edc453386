#pragma once
// Attempts as processes of this machine.
#include <filesystem>
#include <memory>
#include <optional>

#include "tuner/engine/attempt/trial_runner.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

struct LocalRunnerOptions {
  std::optional<int>
      parallel;  // attempts at once; absent: one a GPU slot, on the CPU 2 (or 1 where there is one core)
  Resources resources;
  std::filesystem::path supervisor;  // empty: find_supervisor()
  // A supervisor that has not ended its tree this long after a limit and the grace is itself stuck, and is
  // killed together with the tree; after a third of it where it is known to be stopped (SIGSTOP), since it
  // was told to go on before.
  Milliseconds supervisor_grace{15'000};
};

// Starts one tune-supervisor an attempt and hears from it through a socket. Makes the process a sub-reaper,
// so that the trees of killed supervisors come to it. Owned by the code that runs the loop; used on the
// loop's thread only, except wake(). When it is destroyed its attempts' trees are killed, and it waits for
// that. Reads none of the attempts' files.
class LocalRunner final : public TrialRunner {
 public:
  // Throws Error(kEnvironment) when more GPUs are asked for than there are, or there is no supervisor.
  explicit LocalRunner(const LocalRunnerOptions& options);
  ~LocalRunner() override;

  AttemptRecord start(const Attempt& attempt) override;
  bool attach(const AttemptRecord& record) override;
  Capacity capacity() override;
  bool has_room(std::optional<std::uint64_t> memory) override;
  void set_parallel(int parallel) override;
  std::vector<std::string> lost_devices(const std::vector<std::string>& devices) override;
  RunnerEvent wait(SteadyTime deadline) override;
  void stop(AttemptId id, Milliseconds grace, StopReason reason) override;
  void wake() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tune::engine
