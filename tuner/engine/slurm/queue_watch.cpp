#include "tuner/engine/slurm/queue_watch.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <thread>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/engine/slurm/job_records.h"

namespace tune::engine {
namespace {

using std::chrono::steady_clock;
using Stage = ClusterJob::Stage;

constexpr int kLastLooks = 3;
constexpr Milliseconds kBetweenLastLooks{1'000};

}  // namespace

void QueueWatch::work(SteadyTime now) {
  if (board_.jobs.empty() || is_asking_ || !board_.pace.is_due(now)) return;
  is_asking_ = true;
  board_.pace.on_query(now);
  board_.lane.add([this, name = board_.job_name]() -> CommandLane::Then {
    const SteadyTime asked = steady_clock::now();
    const QueueAnswer answer = queued_jobs(name, board_.given_up);
    return [this, answer, asked] { on_answer(answer, asked); };
  });
}

SteadyTime QueueWatch::due() const {
  return board_.jobs.empty() || is_asking_ ? SteadyTime::max() : board_.pace.next();
}

void QueueWatch::on_answer(const QueueAnswer& answer, SteadyTime asked) {
  const SteadyTime now = steady_clock::now();
  is_asking_ = false;
  board_.pace.on_answer(now);
  if (!answer.problem.empty()) {
    if (!std::exchange(is_silent_, true) && !board_.given_up())
      board_.notices.push_back(
          "Slurm does not answer, so nothing is known of the jobs but what they write: " + answer.problem);
    return;
  }
  if (std::exchange(is_silent_, false)) board_.notices.push_back("Slurm answers again");
  std::map<std::pair<std::string, int>, const SlurmJob*> listed;
  std::set<std::string> seen;
  for (const SlurmJob& each : answer.jobs) {
    if (!each.comment.starts_with("tune:")) continue;
    const std::string batch = each.comment.substr(5);
    listed[{batch, each.index}] = &each;
    seen.insert(batch);
  }
  submitter_.settle_doubts(seen, asked);
  for (auto& [id, job] : board_.jobs) {
    if (job.stage == Stage::kWaiting) continue;
    const auto found = listed.find({job.batch, job.index});
    if (found != listed.end())
      take_in(job, *found->second, now);
    else if (job.stage == Stage::kSubmitted && job.submitted < asked && !job.is_gone && !job.is_heard_of(now))
      // Slurm forgets jobs that ended a while ago (MinJobAge), and those that a controller had not yet saved
      // when it was killed: they may run on.
      board_.lose(job, now, job.began || job.running_since);
  }
  end_strangers(answer);
}

void QueueWatch::take_in(ClusterJob& job, const SlurmJob& listed, SteadyTime now) {
  submitter_.on_seen(job, now);
  if (job.job != listed.id) {
    job.job = listed.id;
    board_.remember(job);
  }
  job.state = listed.state;
  if (!listed.nodes.empty()) job.nodes = listed.nodes;
  if (listed.start) job.start = listed.start;
  if (listed.is_over()) job.end = listed.end;
  if (job.is_gone) return;
  if (listed.is_over()) {
    board_.pace.hurry(now);
    // Slurm gives a node up that does not answer, and what runs there may run on.
    return board_.lose(job, now, listed.state == "NODE_FAIL");
  }
  if (listed.state == "PENDING" && job.began) {
    // Slurm has queued it again, against our wish, and its first script may still run.
    job.state = "REQUEUED";
    board_.cancel({job.job}, true);
    return board_.lose(job, now, true);
  }
  if (listed.state == "PENDING" && job.stop) return board_.cancel({job.job}, true);
  if (!has_begun_in_time(job, listed, now)) {
    const std::string why = "has not begun a job within " + format_duration(kBeginPatience) +
                            ": its script or the shared folder hangs there";
    job.unheard = "node " + job.nodes + ' ' + why;
    board_.leave_out(job.nodes, why);
    board_.cancel({job.job}, false);
    return board_.lose(job, now, true);
  }
  if (const std::string why = hopeless_reason(listed); !why.empty())
    board_.notice("jobs wait in Slurm's queue, and may wait for ever: " + why +
                  " (`squeue --me --name=" + board_.job_name + "` shows them)");
}

// By our own clock, and by what it says now: this process may have been stopped meanwhile.
bool QueueWatch::has_begun_in_time(ClusterJob& job, const SlurmJob& listed, SteadyTime now) {
  if (listed.state != "RUNNING" || job.began) {
    job.running_since.reset();
    return true;
  }
  if (!job.running_since) job.running_since = now;
  if (now - *job.running_since < kBeginPatience) return true;
  try {
    if (read_alive(job.folder, job.token)) return true;
    if (!board_.is_full()) return false;
    job.running_since = now;
    return true;
  } catch (const Error& error) {
    // A file server that does not answer says nothing about a job.
    if (error.code() != ExitCode::kEnvironment) throw;
    board_.notice_unread(error);
    return true;
  }
}

std::set<std::string> QueueWatch::strangers_in(const QueueAnswer& answer) const {
  std::set<std::string> unknown;
  for (const SlurmJob& each : answer.jobs) {
    if (each.is_over() || each.state == "COMPLETING") continue;
    const bool is_ours = std::any_of(board_.jobs.begin(), board_.jobs.end(), [&](const auto& entry) {
      return "tune:" + entry.second.batch == each.comment && entry.second.index == each.index;
    });
    if (!is_ours) unknown.insert(each.id);
  }
  return unknown;
}

// Of a submission that was given up, or of an orchestrator that died. Seen twice, since one that has just
// ended may still be listed.
void QueueWatch::end_strangers(const QueueAnswer& answer) {
  std::set<std::string> unknown = strangers_in(answer);
  std::vector<std::string> twice;
  std::set_intersection(unknown.begin(), unknown.end(), strangers_.begin(), strangers_.end(),
                        std::back_inserter(twice));
  strangers_ = std::move(unknown);
  if (twice.empty()) return;
  board_.notice("jobs of this study that no trial waits for are cancelled: " + twice.front() +
                (twice.size() > 1 ? " and " + std::to_string(twice.size() - 1) + " more" : ""));
  board_.cancel(twice, false);
}

void QueueWatch::end_left_overs() const {
  if (!submitter_.has_submitted()) return;
  // A controller that has just come back may take a job for running again after it was cancelled.
  for (int i = 0; i < kLastLooks && !board_.given_up(); ++i) {
    if (i > 0) std::this_thread::sleep_for(kBetweenLastLooks);
    const QueueAnswer answer = queued_jobs(board_.job_name, board_.given_up);
    const std::set<std::string> left = strangers_in(answer);
    if (answer.problem.empty() && left.empty()) return;
    cancel_jobs({left.begin(), left.end()}, false, board_.given_up);
  }
}

void QueueWatch::explain_unseen(const ClusterJob& job) {
  if (job.job.empty() || job.state == "CANCELLED" || !job.unheard.empty()) return;
  board_.lane.add([this, name = job.job]() -> CommandLane::Then {
    const auto script = job_exit(name, board_.given_up);
    return [this, script] {
      if (!script || script->node.empty()) return;
      if (script->code == kFolderUnseen)
        board_.leave_out(script->node, "does not see the trials' folder " +
                                           board_.folder.path().parent_path().string() + ": mount it there");
      if (script->code == kSupervisorUnseen)
        board_.leave_out(script->node, "does not see " + board_.supervisor.string() + ": install tune there");
    };
  });
}

}  // namespace tune::engine
