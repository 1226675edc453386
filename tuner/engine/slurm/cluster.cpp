#include "tuner/engine/slurm/cluster.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

#include "tuner/core/edit_distance.h"
#include "tuner/core/plural_text.h"
#include "tuner/engine/slurm/job_options.h"
#include "tuner/engine/slurm/slurm_commands.h"
#include "tuner/engine/slurm/slurm_runner.h"

namespace tune::engine {
namespace {

constexpr Milliseconds kPatience{15'000};
// A job that is over must be known until the next query, and the one after it should that fail.
constexpr Milliseconds kShortJobAge{120'000};

constexpr const char* kNodesLack = "Requested node configuration is not available";

std::string ask(std::vector<std::string> argv, const GivenUp& given_up) {
  SlurmOutput output = run_slurm(std::move(argv), kPatience, given_up);
  if (output.exit_code == 127)
    throw Error(ExitCode::kEnvironment, "Slurm is not installed here: " + output.problem,
                "the runner slurm needs sbatch, squeue, scancel, scontrol and sinfo on the path: run tune "
                "where jobs are submitted from");
  if (!output.problem.empty())
    throw Error(ExitCode::kEnvironment, "Slurm does not answer: " + output.problem,
                "`sinfo` must work here; its controller may be down, or SLURM_CONF name another cluster");
  return std::move(output.out);
}

std::vector<std::string> split(const std::string& text, char mark) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, mark);) parts.push_back(part);
  return parts;
}

std::string value_of(const std::map<std::string, std::string>& pairs, const std::string& key) {
  const auto found = pairs.find(key);
  return found == pairs.end() ? "" : found->second;
}

// Of "Name    = value" lines.
std::map<std::string, std::string> parse_config(const std::string& text) {
  std::map<std::string, std::string> config;
  for (const std::string& line : split(text, '\n')) {
    const std::size_t mark = line.find('=');
    if (mark == std::string::npos) continue;
    const auto trimmed = [](std::string part) {
      part.erase(0, part.find_first_not_of(' '));
      return part.substr(0, part.find_last_not_of(' ') + 1);
    };
    config[trimmed(line.substr(0, mark))] = trimmed(line.substr(mark + 1));
  }
  return config;
}

std::string names_of(const Cluster& cluster) {
  std::string names;
  for (const Partition& each : cluster.partitions) names += (names.empty() ? "" : ", ") + each.name;
  return names;
}

}  // namespace

const Partition* Cluster::partition(const std::string& wanted) const {
  for (const Partition& each : partitions)
    if (wanted.empty() ? each.is_default : each.name == wanted) return &each;
  return nullptr;
}

std::vector<Partition> parse_partitions(const std::string& partitions, const std::string& nodes) {
  std::vector<Partition> result;
  for (const std::string& line : split(partitions, '\n')) {
    const auto pairs = parse_pairs(line);
    Partition partition;
    partition.name = value_of(pairs, "PartitionName");
    if (partition.name.empty()) continue;
    partition.state = value_of(pairs, "State");
    partition.is_default = value_of(pairs, "Default") == "YES";
    partition.most_time = parse_slurm_duration(value_of(pairs, "MaxTime"));
    partition.default_time = parse_slurm_duration(value_of(pairs, "DefaultTime"));
    if (!partition.default_time) partition.default_time = partition.most_time;
    result.push_back(std::move(partition));
  }
  // partition|node|state|cpus|gres
  for (const std::string& line : split(nodes, '\n')) {
    const std::vector<std::string> fields = split(line, '|');
    if (fields.size() < 5) continue;
    for (Partition& partition : result) {
      if (partition.name != fields[0]) continue;
      ++partition.nodes;
      const bool is_out = fields[2].starts_with("down") || fields[2].starts_with("drain") ||
                          fields[2].starts_with("fail") || fields[2].ends_with('*');
      partition.usable_nodes += !is_out;
      partition.most_cpus = std::max(partition.most_cpus, std::atoi(fields[3].c_str()));
      if (std::find(partition.gres.begin(), partition.gres.end(), fields[4]) == partition.gres.end())
        partition.gres.push_back(fields[4]);
    }
  }
  return result;
}

Cluster inspect_cluster(const GivenUp& given_up) {
  const auto config = parse_config(ask({"scontrol", "show", "config"}, given_up));
  Cluster cluster;
  cluster.name = value_of(config, "ClusterName");
  cluster.version = value_of(config, "SLURM_VERSION");
  cluster.preemption = value_of(config, "PreemptMode");
  cluster.keeps_accounts = value_of(config, "AccountingStorageType") != "accounting_storage/none";
  cluster.job_age = Milliseconds(1000 * std::atoll(value_of(config, "MinJobAge").c_str()));
  cluster.partitions =
      parse_partitions(ask({"scontrol", "--oneliner", "show", "partition"}, given_up),
                       ask({"sinfo", "--noheader", "--all", "--Node", "--format=%R|%N|%t|%c|%G"}, given_up));
  return cluster;
}

int gres_count(const std::string& gres, const std::string& asked) {
  const std::vector<std::string> wanted = split(asked, ':');
  int count = 0;
  for (std::string each : split(gres, ',')) {
    each = each.substr(0, each.find('('));
    const std::vector<std::string> parts = split(each, ':');
    if (parts.empty() || wanted.empty() || parts[0] != wanted[0]) continue;
    const bool is_of_kind = wanted.size() < 3 || (parts.size() > 2 && parts[1] == wanted[1]);
    if (is_of_kind) count += parts.size() > 1 ? std::max(0, std::atoi(parts.back().c_str())) : 1;
  }
  return count;
}

ClusterProblems cluster_problems(const SlurmSettings& settings, const std::optional<Milliseconds>& time,
                                 const Cluster& cluster) {
  ClusterProblems found;
  const auto refuse = [&](const char* pointer, const std::string& message, const std::string& hint) {
    found.fatal.push_back({0, 0, pointer, message, hint});
  };
  if (!settings.account.empty() && !cluster.keeps_accounts)
    found.warnings.push_back({0, 0, "/runner/account",
                              "the cluster " + cluster.name +
                                  " keeps no accounts, so nothing is charged to \"" + settings.account + "\"",
                              "leave it out"});
  const Partition* partition = cluster.partition(settings.partition);
  if (partition == nullptr) {
    std::vector<std::string> names;
    for (const Partition& each : cluster.partitions) names.push_back(each.name);
    if (settings.partition.empty())
      refuse("/runner", "the cluster " + cluster.name + " has no default partition",
             "name one in runner.partition: " + names_of(cluster));
    else
      refuse("/runner/partition",
             "the cluster " + cluster.name + " has no partition \"" + settings.partition + "\"",
             name_hint(settings.partition, names, "its partitions"));
    return found;
  }
  const std::string name = "the partition " + partition->name;
  const char* place = settings.partition.empty() ? "/runner" : "/runner/partition";
  if (partition->state != "UP")
    refuse(place, name + " is " + partition->state + ": its jobs would wait for ever",
           "take another partition (`tune doctor` lists them), or ask who runs the cluster");
  else if (partition->nodes > 0 && partition->usable_nodes == 0)
    found.warnings.push_back({0, 0, place, "no node of " + name + " is up now", "jobs wait until one is"});
  if (time && partition->most_time && *time > *partition->most_time)
    refuse(settings.time ? "/runner/time" : "/limits/trial_time",
           "a job of " + format_duration(*time) + " is longer than " + name + " allows (" +
               format_duration(*partition->most_time) + ")",
           "say less: a trial that saves its state goes on in another job");
  if (settings.nodes_per_trial > partition->nodes)
    refuse("/runner/nodes_per_trial", name + " has " + plural_text(partition->nodes, "node"),
           "take fewer, or another partition");
  if (settings.cpus > partition->most_cpus)
    refuse("/runner/cpus",
           "no node of " + name + " has more than " + plural_text(partition->most_cpus, "core"),
           "take fewer, or another partition");
  const std::string gres = !settings.gres.empty()        ? settings.gres
                           : settings.gpus_per_trial > 0 ? "gpu:" + std::to_string(settings.gpus_per_trial)
                                                         : "";
  for (const std::string& asked : split(gres, ',')) {
    const std::vector<std::string> parts = split(asked, ':');
    const int count = parts.size() > 1 ? std::max(1, std::atoi(parts.back().c_str())) : 1;
    int most = 0;
    for (const std::string& each : partition->gres) most = std::max(most, gres_count(each, asked));
    if (count > most)
      refuse(settings.gres.empty() ? "/resources/gpus_per_trial" : "/runner/gres",
             "no node of " + name + " has " + asked + ", " +
                 (most == 0 ? "and none of that kind" : "but " + std::to_string(most) + " of it at most"),
             "take fewer, or another partition");
  }
  if (cluster.job_age < kShortJobAge)
    found.warnings.push_back({0, 0, "/runner",
                              "the cluster forgets a job " + format_duration(cluster.job_age) +
                                  " after its end (MinJobAge): why a job was lost may stay unknown",
                              "who runs the cluster can set MinJobAge to 300 seconds or more"});
  return found;
}

std::string jobs_text(const Spec& spec, const Cluster& cluster) {
  const SlurmSettings& settings = spec.runner.slurm;
  const Partition* partition = cluster.partition(settings.partition);
  std::optional<Milliseconds> time = job_time(settings, spec.limits.trial_time);
  if (!time && partition != nullptr) time = partition->default_time;
  const int nodes = settings.nodes_per_trial;
  const std::string each = nodes > 1 ? " on each" : "";
  std::string text = "Slurm's partition " + (partition == nullptr ? settings.partition : partition->name) +
                     ", a job for each trial: " + plural_text(nodes, "node");
  if (!settings.gres.empty())
    text += ", " + settings.gres + each;
  else if (settings.gpus_per_trial > 0)
    text += ", " + plural_text(settings.gpus_per_trial, "GPU") + each;
  text += ", " + plural_text(settings.cpus, "core") + each;
  text += time ? ", " + format_duration(*time) + " at most" : ", no limit of time";
  return text + "; " + plural_text(spec.limits.parallel.value_or(kJobsAtOnce), "job") + " at once";
}

ClusterProblems ask_cluster(const Spec& spec, const Cluster& cluster, const GivenUp& given_up) {
  const SlurmSettings& settings = spec.runner.slurm;
  const auto time = job_time(settings, spec.limits.trial_time);
  ClusterProblems found = cluster_problems(settings, time, cluster);
  if (!found.fatal.empty()) return found;
  std::vector<std::string> argv{"sbatch", "--test-only"};
  for (const std::string& option : job_options(settings, time)) argv.push_back(option);
  argv.push_back("--wrap=true");
  const SlurmOutput output = run_slurm(std::move(argv), kPatience, given_up);
  if (output.timed_out || output.exit_code == 0 || output.exit_code > 128 ||
      refusal_kind(output.problem) != Submission::Kind::kRefused)
    return found;
  // It looks at the nodes that are up now, and sbatch without --test-only at all of them.
  const Partition& partition = *cluster.partition(settings.partition);
  if (partition.usable_nodes < partition.nodes && output.problem.find(kNodesLack) != std::string::npos)
    found.warnings.push_back(
        {0, 0, "/runner",
         "such a job would have to wait: " + plural_text(partition.usable_nodes, "node") + " of " +
             std::to_string(partition.nodes) + " of the partition " + partition.name + " are available",
         "`sinfo --list-reasons` says why the others are not"});
  else
    found.fatal.push_back(
        {0, 0, "/runner", "sbatch refuses such a job: " + output.problem,
         "change the section, runner.options first, so that `sbatch --test-only` takes it"});
  return found;
}

}  // namespace tune::engine
