#pragma once
// Where a study's trials run.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"

namespace tune {

enum class RunnerKind { kLocal, kSlurm };

// What a job of a Slurm cluster is submitted with. Empty texts: the cluster's own defaults.
struct SlurmSettings {
  std::string partition, account, gres;
  std::optional<Milliseconds> time;  // of one job; a trial that needs longer goes on in another
  int cpus = 1;                      // of one trial, on each of its nodes
  std::vector<std::string> options;  // further ones of sbatch, as they are
  std::filesystem::path work;        // a folder that the nodes share with this machine; empty: the store's
  int nodes_per_trial = 1;
  int gpus_per_trial = 0;       // on each node; 0 where `gres` says it in other words
  int gpus = 0;                 // on each node, whichever of the two says it
  int processes_per_trial = 1;  // on each node; one for each GPU where it has any
};

struct RunnerSettings {
  RunnerKind kind = RunnerKind::kLocal;
  SlurmSettings slurm;
};

const char* runner_text(RunnerKind kind);  // "local", "slurm"
RunnerKind runner_from(const std::string& text);

}  // namespace tune
