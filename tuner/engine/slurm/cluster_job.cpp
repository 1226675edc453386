#include "tuner/engine/slurm/cluster_job.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>

#include "tuner/os/regular_file.h"
#include "tuner/os/unreadable_file.h"

namespace tune::engine {
namespace {

constexpr Milliseconds kFirstLook{50}, kLongestLook{5'000};
constexpr int kLooksPerSecond = 500;
constexpr int kPartOfAge = 20;  // that an end may be noticed too late
constexpr Milliseconds kClockTolerance{5'000};
constexpr Milliseconds kLongestBegin{
    60'000};  // from a job's start to its supervisor's, else clocks are apart
constexpr std::uint64_t kMostExitBytes = 64 << 10;

// squeue(1), JOB REASON CODES: what passes only when a person does something, or when others have ended.
struct HopelessReason {
  std::string_view begin;
  const char* cure;
};
constexpr const char *kPartitionCure = "take another partition, or ask who runs the cluster",
                     *kNodesCure = "`sinfo --list-reasons` says why nodes are not available",
                     *kQuotaCure =
                         "they begin when others have ended, or when the limit of the account is raised",
                     *kAccountCure = "`sacctmgr show associations user=$USER` names the accounts that may";
constexpr std::array<HopelessReason, 11> kHopeless{
    {{"PartitionDown", kPartitionCure},
     {"PartitionInactive", kPartitionCure},
     {"PartitionTimeLimit", "say less in runner.time"},
     {"BadConstraints", "no node has what runner.options ask for"},
     {"ReqNodeNotAvail", kNodesCure},
     {"Nodes required for job are DOWN", kNodesCure},
     {"AccountNotAllowed", kAccountCure},
     {"InvalidAccount", kAccountCure},
     {"Assoc", kQuotaCure},
     {"MaxJobs", kQuotaCure},
     {"QOS", kQuotaCure}}};

// nullopt without a report that can be read: whoever needs more than its time says so.
std::optional<Milliseconds> lasted_by_report(const std::filesystem::path& folder) try {
  const JsonFile record = read_json_file(folder / kExitFile, kMostExitBytes);
  if (!record.is_there || !record.value.is_object()) return std::nullopt;
  return Milliseconds(static_cast<std::int64_t>(record.value.value("wall_seconds", 0.0) * 1000));
} catch (const UnreadableFile&) {
  return std::nullopt;
} catch (const Json::exception&) {
  return std::nullopt;
}

}  // namespace

Milliseconds look_interval(const ClusterJob& job, std::size_t jobs, SteadyTime now) {
  const auto age = std::chrono::duration_cast<Milliseconds>(now - job.since) / kPartOfAge;
  const Milliseconds load(1000 * static_cast<std::int64_t>(jobs) / kLooksPerSecond);
  // Nothing but its begin can happen to one that waits, and that is known early enough.
  const Milliseconds least = job.began || job.is_gone ? kFirstLook : 2 * kFirstLook;
  return std::max(std::clamp<Milliseconds>(age, least, kLongestLook), load);
}

WallTime begin_of(const ClusterJob& job, WallTime now) {
  const WallTime submitted = std::min(job.submitted_at, now);
  return job.start.value_or(std::clamp(job.alive.began, submitted, now));
}

Milliseconds held_time(const ClusterJob& job, WallTime now) {
  if (job.began && job.start && job.end && *job.end >= *job.start) return *job.end - *job.start;
  const std::optional<Milliseconds> lasted = lasted_by_report(job.folder);
  if (!lasted) return job.began ? now - begin_of(job, now) : Milliseconds(0);
  // Where the disk was full it could not say that it began.
  if (!job.began) return *lasted;
  // The first heartbeat is the supervisor's begin; the script began before, and Slurm counts from there.
  const Milliseconds before = job.first_written - job.start.value_or(job.alive.began);
  return *lasted + std::clamp(before, Milliseconds(0), kLongestBegin);
}

std::string clock_problem(const ClusterJob& job, WallTime now) {
  if (job.submitted_at == WallTime{}) return {};
  const Milliseconds behind = job.submitted_at - job.alive.began, ahead = job.alive.written - now;
  const Milliseconds apart = std::max(behind, ahead);
  if (apart <= kClockTolerance) return {};
  return "the clock of node " + job.alive.node + " is " + format_duration(apart) +
         (ahead > behind ? " ahead of" : " behind") +
         " this machine's: device hours and times of metrics are off by as much (chrony or ntpd sets clocks "
         "right)";
}

std::string node_failure(const ClusterJob& job) {
  return "job " + job.job + " ended, since its node " + job.alive.node + " failed";
}

JobLoss loss_of(const ClusterJob& job, SteadyTime now) {
  ExitRecord record;
  record.token = job.token;
  if (job.began) record.wall_seconds = std::chrono::duration<double>(now - job.since).count();
  const auto stopped = [&](StopReason reason) {
    record.stop_text = to_string(reason);
    record.exit_code = 127;
    return JobLoss{record, {}};
  };
  if (job.stop) return stopped(job.stop->reason);
  if (job.state == "PREEMPTED" || job.state == "REQUEUED") return stopped(StopReason::kTerminated);
  if (job.state == "TIMEOUT" || job.state == "DEADLINE") return stopped(StopReason::kJobTime);
  // Never submitted, by an orchestrator that died meanwhile; or forgotten by Slurm since.
  if (job.was_taken_up && !job.began && job.state.empty()) return stopped(StopReason::kLost);
  if (job.state == "OUT_OF_MEMORY") {
    record.signal = SIGKILL;
    record.out_of_memory = true;
    return {record, {}};
  }
  if (!job.unheard.empty()) return {{}, job.unheard};
  const std::string name = "job " + (job.job.empty() ? "?" : job.job),
                    state = job.state.empty() ? "" : " (" + job.state + ")";
  if (!job.began)
    return {{},
            name + " ended without having begun it" + state + (job.nodes.empty() ? "" : " on " + job.nodes)};
  if (job.state == "ENDED") return {{}, "its supervisor on " + job.alive.node + " was killed"};
  if (job.is_of_failed_node()) return {{}, node_failure(job)};
  return {{}, name + " on " + job.alive.node + " ended without a report" + state};
}

std::string hopeless_reason(const SlurmJob& listed) {
  if (listed.state != "PENDING") return {};
  // "ReqNodeNotAvail, UnavailableNodes:n[1-2]"
  for (const HopelessReason& each : kHopeless)
    if (listed.reason.starts_with(each.begin)) return listed.reason + ": " + each.cure;
  return {};
}

}  // namespace tune::engine
