#pragma once
// What a job is asked for.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/spec/runner_settings.h"

namespace tune::engine {

// The arguments of sbatch that a job's settings mean, without those of a single submission.
std::vector<std::string> job_options(const SlurmSettings& settings, const std::optional<Milliseconds>& time);
// The option that leaves nodes out beside those that the settings leave out: of several such ones sbatch
// heeds the last alone. Empty where there are none. Throws Error where a file of nodes that the settings name
// cannot be read.
std::string exclusion(const SlurmSettings& settings, const std::set<std::string>& nodes);
// How long a job lasts at most: by the settings, else by what its trial may take.
std::optional<Milliseconds> job_time(const SlurmSettings& settings,
                                     const std::optional<Milliseconds>& trial_time);
// From a job's begin until its attempt must end, so that it can save its state and write that down.
Milliseconds time_for_attempt(Milliseconds job_time, Milliseconds grace);

}  // namespace tune::engine
