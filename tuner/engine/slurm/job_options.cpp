#include "tuner/engine/slurm/job_options.h"

#include <algorithm>
#include <sstream>
#include <string_view>

#include "tuner/engine/slurm/slurm_commands.h"
#include "tuner/os/atomic_file.h"

namespace tune::engine {
namespace {

// What a job has beside the grace at its end, to write down what has become of its attempt.
constexpr Milliseconds kTimeReserve{15'000};

// The value of "--exclude=VALUE", of what sbatch takes for it ("--exclud" is the shortest), and of "-xVALUE".
std::optional<std::string> exclude_value(const std::string& option) {
  constexpr std::string_view kName = "--exclude", kShortest = "--exclud";
  const std::size_t mark = option.find('=');
  std::string value;
  if (option.starts_with("-x"))
    value = option.substr(2);
  else if (mark != option.npos && mark >= kShortest.size() && kName.starts_with(option.substr(0, mark)))
    value = option.substr(mark + 1);
  else
    return std::nullopt;
  value.erase(0, value.find_first_not_of(' '));
  return value;
}

// The nodes of a file, as sbatch reads it: names and ranges on lines, and comments behind a #.
std::string nodes_in(const std::string& text) {
  std::string nodes;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;) nodes += (nodes.empty() ? "" : ",") + word;
  }
  return nodes;
}

}  // namespace

std::string exclusion(const SlurmSettings& settings, const std::set<std::string>& nodes) {
  if (nodes.empty()) return {};
  std::string all;
  for (const std::string& option : settings.options)
    if (const auto value = exclude_value(option)) all = *value;
  // What has a slash in it names a file of nodes (sbatch(1), --exclude).
  if (all.find('/') != all.npos) all = nodes_in(read_file(all));
  for (const std::string& node : nodes) all += (all.empty() ? "" : ",") + node;
  return "--exclude=" + all;
}

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
