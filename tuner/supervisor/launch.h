#pragma once
// launch.json: what the runner asks a supervisor to do.
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/metric_definition.h"

namespace tune::supervisor {

// Of an attempt that runs in a cluster's job.
struct JobLaunch {
  std::uint64_t program_bytes = 0;        // of the tune-supervisor that was found where it was planned
  std::optional<Milliseconds> time_left;  // from the job's begin until the attempt must end
  int nodes = 1;                          // srun is the trainer where there are more
};

struct Launch {
  std::filesystem::path folder;  // the attempt's, where launch.json lies
  std::string token;
  std::vector<std::string> argv;
  std::filesystem::path working_directory;
  std::map<std::string, std::string> environment;  // on top of the supervisor's own
  std::vector<MetricDefinition> metrics;
  std::map<std::string, std::int64_t> steps_done;  // by metric, the last step of earlier attempts
  std::set<std::string> steps_counted;             // metrics whose captured steps an earlier attempt gave up
  Milliseconds grace{10'000};
  std::optional<Milliseconds> time_limit;
  std::optional<Milliseconds> no_output, no_metric_time;  // silences that end the attempt
  Milliseconds quiet_after{600'000};                      // a silence that is told to the runner
  std::vector<int> cpus;                                  // the trainer is pinned to these; empty: not pinned
  int control = -1;  // inherited socket to the runner; -1: none, the attempt outlives its orchestrator
  std::optional<JobLaunch> job;
  std::vector<int> leases;  // inherited descriptors that the trainer inherits too
};

// Throws Error(kEnvironment) that names the file.
Launch read_launch(const std::filesystem::path& file);

}  // namespace tune::supervisor
