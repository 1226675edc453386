#include "tuner/engine/slurm/node_probe.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <sstream>
#include <thread>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/rng.h"
#include "tuner/engine/attempt/supervisor_process.h"
#include "tuner/engine/slurm/cluster_job.h"
#include "tuner/engine/slurm/job_folder.h"
#include "tuner/engine/slurm/job_options.h"
#include "tuner/engine/slurm/query_pace.h"
#include "tuner/engine/slurm/slurm_commands.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/file_system.h"
#include "tuner/os/regular_file.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr Milliseconds kLook{50};
constexpr Milliseconds kProbeTime{120'000};  // of the job; it takes no second
constexpr Milliseconds kProbeSettle{5'000};  // after the job's end, for its file to come in sight
constexpr Milliseconds kTolerance{60'000};   // of clocks: times of metrics are for people
constexpr Milliseconds kSayAfter{5'000};
constexpr int kBusyTries = 5, kProbeTries = 3;

// $1: what it says goes there; $2: the supervisor; $3: the spec's folder.
constexpr const char* kProbeScript = R"sh(#!/bin/sh
# Looks whether this node sees what the trials need: written by tune, which submits it.
[ -d "${1%/*}" ] || exit 87
{
  echo "node ${SLURMD_NODENAME:-$(uname -n)}"
  echo "time_ms $(date +%s%3N)"
  [ -x "$2" ] && echo "bytes $(wc -c <"$2")"
  [ -x "$2" ] && "$2" --help >/dev/null 2>&1 && echo "starts yes"
  [ -d "$3" ] && echo "folder yes"
} >"$1.part" || exit 89
mv "$1.part" "$1" || exit 89
)sh";
constexpr int kCannotWrite = 89;

using Answer = std::map<std::string, std::string>;

Answer read_answer(const fs::path& file) {
  const FileContent content = read_regular_file(file, 64 << 10);
  Answer answer;
  std::istringstream lines(content.is_there ? content.bytes : "");
  for (std::string line; std::getline(lines, line);)
    if (const std::size_t at = line.find(' '); at != std::string::npos)
      answer[line.substr(0, at)] = line.substr(at + 1);
  return answer;
}

// What the probe's answer depends on.
std::string fingerprint(const NodeProbe& probe, const fs::path& supervisor) {
  Json parts = Json::array();
  for (const std::string& option : job_options(probe.spec.runner.slurm, std::nullopt))
    parts.push_back(option);
  parts.push_back(supervisor.string());
  parts.push_back(fs::file_size(supervisor));
  parts.push_back(probe.spec.folder.string());
  return parts.dump();
}

// Empty where a signal came first.
std::string submit(const NodeProbe& probe, const fs::path& script, const fs::path& answer,
                   const fs::path& supervisor, const std::string& job_name) {
  std::vector<std::string> arguments = job_options(probe.spec.runner.slurm, kProbeTime);
  arguments.insert(arguments.begin(),
                   {"--job-name=" + job_name, "--comment=tune:" + answer.filename().string()});
  for (const std::string& part :
       {script.string(), answer.string(), supervisor.string(), probe.spec.folder.string()})
    arguments.push_back(part);
  Submission said;
  for (int i = 0; i < kBusyTries; ++i) {
    said = submit_job(arguments, {}, [&] { return probe.signals() > 0; });
    if (said.kind == Submission::Kind::kAccepted) return said.job;
    if (said.kind == Submission::Kind::kRefused) break;
    // A job in doubt harms nobody: it looks at two files.
    const SteadyTime again = steady_clock::now() + std::chrono::seconds(1 << i);
    while (probe.signals() == 0 && steady_clock::now() < again) std::this_thread::sleep_for(kLook);
    if (probe.signals() > 0) return {};
  }
  throw Error(ExitCode::kEnvironment, "sbatch does not take a job: " + said.problem,
              said.kind == Submission::Kind::kRefused
                  ? "change the section runner of the spec so that it does"
                  : "run the same command again when the controller answers, or the quota has room");
}

// Why its script said nothing that can be read here, where its exit code tells; else the job was lost.
void judge_unseen(const NodeProbe& probe, const std::string& job, const fs::path& supervisor) {
  const auto script = job_exit(job);
  if (!script || !script->has_run) return;
  const std::string node = script->node.empty() ? "the node of job " + job : "node " + script->node;
  if (script->code == kSupervisorUnseen)
    throw Error(ExitCode::kEnvironment, node + " does not see " + supervisor.string(),
                "install the same tune there, under the same path");
  if (script->code == kCannotWrite)
    throw Error(ExitCode::kEnvironment, node + " cannot write to \"" + probe.work.string() + "\"",
                "check the rights and the quota of that folder on the nodes");
  // It may have written into another folder of that name.
  if (script->code == kFolderUnseen || script->code == 0)
    throw Error(ExitCode::kEnvironment,
                node + " does not see \"" + probe.work.string() + "\", where the trials' files go",
                "name a folder in runner.work that the nodes share with this machine");
}

void judge(const NodeProbe& probe, const Answer& answer, const fs::path& supervisor, WallTime submitted) {
  const auto said = [&](const char* key) {
    const auto found = answer.find(key);
    return found == answer.end() ? std::string() : found->second;
  };
  const std::string node = "node " + said("node");
  if (said("bytes").empty())
    throw Error(ExitCode::kEnvironment, node + " does not see " + supervisor.string(),
                "install the same tune there, under the same path");
  if (std::strtoull(said("bytes").c_str(), nullptr, 10) != fs::file_size(supervisor))
    throw Error(ExitCode::kEnvironment, node + " has another version of " + supervisor.string(),
                "install the same tune on every node");
  if (said("starts").empty())
    throw Error(ExitCode::kEnvironment, node + " cannot start " + supervisor.string(),
                "a library that it needs is missing there: install the packages that tune needs");
  if (said("folder").empty())
    throw Error(ExitCode::kEnvironment,
                node + " does not see the spec's folder \"" + probe.spec.folder.string() + "\"",
                "the command of a trial starts there: put the spec and its program on the shared folder");
  const WallTime there{Milliseconds(std::strtoll(said("time_ms").c_str(), nullptr, 10))};
  const WallTime now = SystemClock().wall_now();
  const Milliseconds apart = std::max<Milliseconds>(submitted - there, there - now);
  if (apart > kTolerance)
    throw Error(ExitCode::kEnvironment,
                "the clock of " + node + " is " + format_duration(apart) +
                    (there > now ? " ahead of" : " behind") + " this machine's",
                "set both right (chrony, ntpd): the times of metrics and device hours come from there");
}

// Submits one, and waits for it. Without an answer when a signal came, or when the job was lost.
Answer ask_node(const NodeProbe& probe, const JobFolder& folder, const fs::path& script,
                const fs::path& supervisor, std::string& job) {
  const std::string job_name = folder.job_name(probe.spec.study);
  const fs::path answer_file = folder.path() / ("probe-" + random_token().substr(0, 8));
  const WallTime submitted = SystemClock().wall_now();
  job = submit(probe, script, answer_file, supervisor, job_name);
  if (job.empty()) return {};
  const SteadyTime began = steady_clock::now();
  QueryPace pace(began);
  std::optional<SteadyTime> over;
  bool was_said = false;
  std::string said_why;
  while (probe.signals() == 0) {
    const Answer answer = read_answer(answer_file);
    const SteadyTime now = steady_clock::now();
    if (!answer.empty()) {
      std::error_code ignored;
      fs::remove(answer_file, ignored);
      judge(probe, answer, supervisor, submitted);
      return answer;
    }
    if (over && now > *over + kProbeSettle) {
      judge_unseen(probe, job, supervisor);
      return {};
    }
    if (!was_said && now > began + kSayAfter) {
      was_said = true;
      probe.notice("job " + job + " is waited for, which looks whether a node sees what the trials need");
    }
    if (!over && pace.is_due(now)) {
      const QueueAnswer queue = queued_jobs(job_name, [&] { return probe.signals() > 0; });
      pace.on_answer(steady_clock::now());
      const auto listed = std::find_if(queue.jobs.begin(), queue.jobs.end(),
                                       [&](const SlurmJob& each) { return each.id == job; });
      if (listed != queue.jobs.end() && !listed->is_over())
        if (const std::string why = hopeless_reason(*listed); !why.empty() && why != said_why) {
          probe.notice("job " + job + " may wait for ever: " + why);
          said_why = why;
        }
      if (queue.problem.empty() && (listed == queue.jobs.end() || listed->is_over()))
        over = steady_clock::now();
    }
    if (over) look_anew(folder.path());
    std::this_thread::sleep_for(kLook);
  }
  cancel_jobs({job}, false, [&] { return probe.signals() > 1; });
  return {};
}

}  // namespace

bool probe_node(const NodeProbe& probe) {
  const JobFolder folder(probe.work);
  const fs::path supervisor = fs::absolute(probe.supervisor.empty() ? find_supervisor() : probe.supervisor);
  const fs::path known = folder.path() / "probed.json", script = folder.path() / "probe.sh";
  const std::string print = fingerprint(probe, supervisor);
  if (const FileContent before = read_regular_file(known, 64 << 10); before.is_there && before.bytes == print)
    return true;
  write_file_atomically(script, kProbeScript);
  std::string job;
  for (int i = 0; i < kProbeTries; ++i) {
    if (i > 0) probe.notice("job " + job + " was lost without an answer, and another one looks");
    if (!ask_node(probe, folder, script, supervisor, job).empty()) {
      write_file_atomically(known, print);
      return true;
    }
    if (probe.signals() > 0) return false;
  }
  throw Error(
      ExitCode::kEnvironment,
      "no job that was to look whether a node sees what the trials need has given an answer; the last "
      "one was " +
          job,
      "`scontrol show job " + job + "` and `sinfo --list-reasons` say what became of it");
}

}  // namespace tune::engine
