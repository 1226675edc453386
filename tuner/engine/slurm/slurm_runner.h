#pragma once
// Attempts as jobs of a Slurm cluster.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/engine/attempt/trial_runner.h"
#include "tuner/spec/runner_settings.h"

namespace tune::engine {

struct SlurmRunnerOptions {
  SlurmSettings settings;
  std::string study;
  std::filesystem::path work;        // work_folder()
  std::optional<int> parallel;       // jobs at once; absent: kJobsAtOnce
  std::filesystem::path supervisor;  // as the nodes find it; empty: find_supervisor()
  // The time of a job where the settings name none: the partition's.
  std::optional<Milliseconds> default_time = {};
  // How many signals a person has sent, asked on other threads too: after the second Slurm's programs have
  // two seconds. Empty: none.
  std::function<int()> signals = {};
};
inline constexpr int kJobsAtOnce = 8;

// Submits a job for each attempt: those that are started together as one array. What an attempt says in its
// folder is the truth about it; squeue explains why it says nothing, and is asked about all jobs at once and
// seldom. An answer that does not come says nothing about any job. Owned by the code that runs the loop; used
// on the loop's thread only, except wake(). When it is destroyed it waits for what
// Slurm was asked for, unless a person has sent two signals; the jobs go on, and a later one takes them up.
// It never sets a job's GPUs, and has no job begun a second time by Slurm.
class SlurmRunner final : public TrialRunner {
 public:
  // Throws Error(kEnvironment).
  explicit SlurmRunner(const SlurmRunnerOptions& options);
  ~SlurmRunner() override;

  AttemptRecord start(const Attempt& attempt) override;
  bool attach(const AttemptRecord& record) override;
  Capacity capacity() override;
  bool outlives() const override { return true; }
  std::vector<std::string> take_notices() override;
  void set_parallel(int parallel) override;
  std::vector<std::string> lost_devices(const std::vector<std::string>&) override { return {}; }
  RunnerEvent wait(SteadyTime deadline) override;
  void stop(AttemptId id, Milliseconds grace, StopReason reason) override;
  void wake() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tune::engine
