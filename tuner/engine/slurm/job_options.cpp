#include "tuner/engine/slurm/job_options.h"

#include <algorithm>

#include "tuner/engine/slurm/slurm_commands.h"

namespace tune::engine {
namespace {

// What a job has beside the grace at its end, to write down what has become of its attempt.
constexpr Milliseconds kTimeReserve{15'000};

}  // namespace

std::optional<Milliseconds> job_time(const SlurmSettings& settings,
                                     const std::optional<Milliseconds>& trial_time) {
  if (settings.time) return settings.time;
  // The supervisor ends the trial, so that the cluster never has to.
  if (trial_time) return *trial_time + 4 * kTimeReserve;
  return std::nullopt;
}

Milliseconds time_for_attempt(Milliseconds job_time, Milliseconds grace) {
  return std::max(job_time / 2, job_time - grace - kTimeReserve);
}

std::vector<std::string> job_options(const SlurmSettings& settings, const std::optional<Milliseconds>& time) {
  std::vector<std::string> options{"--chdir=/", "--output=/dev/null", "--no-requeue"};
  if (!settings.partition.empty()) options.push_back("--partition=" + settings.partition);
  if (!settings.account.empty()) options.push_back("--account=" + settings.account);
  if (!settings.gres.empty())
    options.push_back("--gres=" + settings.gres);
  else if (settings.gpus_per_trial > 0)
    options.push_back("--gres=gpu:" + std::to_string(settings.gpus_per_trial));
  if (time) options.push_back("--time=" + slurm_duration(*time));
  options.push_back("--nodes=" + std::to_string(settings.nodes_per_trial));
  options.push_back("--ntasks-per-node=1");
  options.push_back("--cpus-per-task=" + std::to_string(settings.cpus));
  options.insert(options.end(), settings.options.begin(), settings.options.end());
  return options;
}

}  // namespace tune::engine
