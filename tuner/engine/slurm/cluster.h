#pragma once
// What a Slurm cluster offers, and whether it can give what a spec asks for.
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/error.h"
#include "tuner/engine/slurm/slurm_commands.h"
#include "tuner/spec/runner_settings.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

struct Partition {
  std::string name, state;  // "UP", "DOWN", "DRAIN", "INACTIVE"
  bool is_default = false;
  std::optional<Milliseconds> most_time, default_time;  // absent: no limit
  // Of its nodes.
  int nodes = 0, usable_nodes = 0, most_cpus = 0;
  std::vector<std::string> gres;  // of each kind of node: "gpu:a100:4"
};

struct Cluster {
  std::string name, version, preemption;
  bool keeps_accounts = false;
  Milliseconds job_age{0};  // for how long a job is known after its end
  std::vector<Partition> partitions;

  // The one that a job goes to; nullptr where there is none of that name.
  const Partition* partition(const std::string& name) const;
};

// Asks sinfo and scontrol. Throws Error(kEnvironment) when there is no Slurm or its controller does not
// answer.
Cluster inspect_cluster(const GivenUp& given_up = {});
// The same out of what they print, for tests.
std::vector<Partition> parse_partitions(const std::string& partitions, const std::string& nodes);
// How many a gres has of what another one asks for: "gpu:2" has one of "gpu:a100:1" only where its kind is
// told.
int gres_count(const std::string& gres, const std::string& asked);

// What the cluster can never give of what a spec asks for, each with its place in the spec; and what is
// merely suspicious.
struct ClusterProblems {
  std::vector<Problem> fatal, warnings;
};
ClusterProblems cluster_problems(const SlurmSettings& settings, const std::optional<Milliseconds>& time,
                                 const Cluster& cluster);
// The same, and then what sbatch says of such a job, of which none is submitted.
ClusterProblems ask_cluster(const Spec& spec, const Cluster& cluster, const GivenUp& given_up = {});

// Where the trials of a spec run, and what each of them gets there, for people: "Slurm's partition gpu, a job
// for each trial: 1 node, 2 GPUs, 8 cores, 4h at most; 16 jobs at once".
std::string jobs_text(const Spec& spec, const Cluster& cluster);

}  // namespace tune::engine
