#include "tuner/engine/slurm/job_submitter.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/engine/slurm/job_options.h"
#include "tuner/engine/slurm/job_records.h"
#include "tuner/os/crash_point.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;
using Stage = ClusterJob::Stage;

// What is started within this time is submitted together.
constexpr Milliseconds kGather{15};
constexpr std::size_t kLargestArray = 200;  // Slurm's MaxArraySize is 1001 unless a site changes it
// A submission that nobody knows of is looked for so long before it is made again.
constexpr Milliseconds kDoubt{12'000};
constexpr int kLooks = 2;
constexpr Milliseconds kFirstRetry{2'000}, kLongestRetry{60'000};

}  // namespace

JobSubmitter::JobSubmitter(JobBoard& board, std::function<void(AttemptId, const std::string&)> on_refused)
    : board_(board),
      on_refused_(std::move(on_refused)),
      most_at_once_(kLargestArray),
      retry_after_(kFirstRetry) {}

void JobSubmitter::work(SteadyTime now) {
  if (!under_way_.empty() || now < retry_at_) return;
  std::vector<AttemptId> waiting;
  SteadyTime oldest = SteadyTime::max();
  for (const auto& [id, job] : board_.jobs) {
    if (job.stage != Stage::kWaiting) continue;
    oldest = std::min(oldest, job.since);
    // Tasks of an array have their time in common.
    if (waiting.size() < most_at_once_ &&
        (waiting.empty() || job.time == board_.jobs.at(waiting.front()).time))
      waiting.push_back(id);
  }
  if (waiting.empty() || now < oldest + kGather) return;
  try {
    submit(waiting);
  } catch (const Error& error) {
    for (const AttemptId id : waiting) board_.jobs.at(id).stage = Stage::kWaiting;
    put_off(now, error.what());
  }
}

SteadyTime JobSubmitter::due() const {
  SteadyTime next = SteadyTime::max();
  if (!under_way_.empty()) return next;
  for (const auto& [id, job] : board_.jobs)
    if (job.stage == Stage::kWaiting) next = std::min(next, std::max(retry_at_, job.since + kGather));
  return next;
}

void JobSubmitter::put_off(SteadyTime now, const std::string& problem) {
  retry_at_ = now + retry_after_;
  retry_after_ = std::min(2 * retry_after_, kLongestRetry);
  board_.notice("jobs cannot be submitted for now, and it is tried again: " + problem);
}

std::vector<std::string> JobSubmitter::arguments_of(const std::vector<AttemptId>& ids,
                                                    const std::string& batch) const {
  std::vector<std::string> arguments = job_options(board_.settings, board_.jobs.at(ids.front()).time);
  arguments.insert(arguments.begin(), {"--job-name=" + board_.job_name, "--comment=tune:" + batch});
  if (ids.size() > 1) arguments.push_back("--array=0-" + std::to_string(ids.size() - 1));
  if (std::string nodes = exclusion(board_.settings, board_.nodes_left_out); !nodes.empty())
    arguments.push_back(std::move(nodes));
  for (const fs::path& part : {board_.folder.script(), board_.folder.batch_file(batch), board_.supervisor})
    arguments.push_back(part.string());
  return arguments;
}

void JobSubmitter::submit(const std::vector<AttemptId>& ids) {
  std::vector<fs::path> launch_files;
  for (const AttemptId id : ids) launch_files.push_back(board_.jobs.at(id).launch_file);
  const std::string batch = board_.folder.write_batch(launch_files);
  std::vector<std::string> arguments = arguments_of(ids, batch);
  std::map<std::string, std::string> secrets;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ClusterJob& job = board_.jobs.at(ids[i]);
    job.batch = batch;
    job.index = static_cast<int>(i);
    job.stage = Stage::kSubmitting;
    job.submitted_at = SystemClock().wall_now();
    job.next_look = SteadyTime::max();
    write_submit(job.folder, {job.token, batch, job.index, {}, job.submitted_at});
    secrets.insert(job.secrets.begin(), job.secrets.end());
  }
  crash_point("batch_written");
  batches_[batch] = std::nullopt;
  under_way_ = batch;
  const SteadyTime asked = steady_clock::now();
  board_.lane.add([this, batch, arguments = std::move(arguments), secrets, asked]() -> CommandLane::Then {
    const Submission answer = submit_job(arguments, secrets, board_.given_up);
    return [this, batch, answer, asked] { on_answer(batch, answer, asked); };
  });
}

std::vector<AttemptId> JobSubmitter::submitted_in(const std::string& batch) const {
  std::vector<AttemptId> ids;
  for (const auto& [id, job] : board_.jobs)
    if (job.batch == batch && job.stage == Stage::kSubmitting) ids.push_back(id);
  return ids;
}

std::string JobSubmitter::with_nodes_left_out(const std::string& problem) const {
  std::string text = problem;
  for (const std::string& node : board_.nodes_left_out)
    text += (text.size() == problem.size() ? " (node " : ", ") + node;
  return text.size() == problem.size() ? text : text + " was left out, as was said)";
}

void JobSubmitter::on_answer(const std::string& batch, const Submission& answer, SteadyTime asked) {
  under_way_.clear();
  const SteadyTime now = steady_clock::now();
  const std::vector<AttemptId> ids = submitted_in(batch);
  if (answer.kind == Submission::Kind::kAccepted) {
    crash_point("batch_submitted");
    retry_after_ = kFirstRetry;
    most_at_once_ = std::min(2 * most_at_once_, kLargestArray);
    std::vector<std::string> unwanted;
    for (const AttemptId id : ids) {
      ClusterJob& job = board_.jobs.at(id);
      job.stage = Stage::kSubmitted;
      job.submitted = job.next_look = now;
      job.job = ids.size() > 1 ? answer.job + "_" + std::to_string(job.index) : answer.job;
      board_.remember(job);
      if (job.stop) unwanted.push_back(job.job);  // meanwhile
    }
    return board_.cancel(unwanted, true);
  }
  if (answer.kind == Submission::Kind::kDoubtful) {
    board_.notice("sbatch did not say whether it has taken a job (" + answer.problem +
                  "): the job is looked for before it is submitted again");
    batches_[batch] = Doubt{asked};
    board_.pace.hurry(now);
    return;
  }
  batches_.erase(batch);
  if (answer.kind == Submission::Kind::kBusy) {
    for (const AttemptId id : ids) board_.jobs.at(id).stage = Stage::kWaiting;
    // A quota that never has room for all of an array may have it for a part.
    most_at_once_ = std::max<std::size_t>(1, ids.size() / 2);
    return put_off(now, answer.problem);
  }
  for (const AttemptId id : ids) on_refused_(id, with_nodes_left_out(answer.problem));
}

void JobSubmitter::take_up(const ClusterJob& job, SteadyTime now) {
  std::optional<Doubt>& doubt = batches_[job.batch];
  if (job.job.empty()) doubt = Doubt{now};
}

void JobSubmitter::on_seen(ClusterJob& job, SteadyTime now) {
  if (job.stage != Stage::kSubmitting) return;
  job.stage = Stage::kSubmitted;
  job.submitted = job.next_look = now;
  batches_[job.batch].reset();
}

void JobSubmitter::settle_doubts(const std::set<std::string>& seen, SteadyTime asked) {
  std::vector<std::string> unseen;
  for (auto& [batch, doubt] : batches_) {
    if (!doubt) continue;
    if (seen.contains(batch)) {
      doubt.reset();
      continue;
    }
    board_.pace.hurry(asked);
    if (++doubt->looks >= kLooks && asked > doubt->since + kDoubt) unseen.push_back(batch);
  }
  for (const std::string& batch : unseen) give_up(batch);
  // The batch of each other one is known to have been submitted by now. Slurm may have forgotten a short task
  // of an array whose long ones it still lists.
  for (auto& [id, job] : board_.jobs) {
    if (job.stage != Stage::kSubmitting || job.batch == under_way_ || batches_[job.batch]) continue;
    job.stage = Stage::kSubmitted;
    // The files of one that was taken up have been looked at; those of others are, before it counts as gone.
    job.submitted = job.was_taken_up ? asked - Milliseconds(1) : asked;
    job.next_look = asked;
  }
}

void JobSubmitter::give_up(const std::string& batch) {
  try {
    board_.folder.void_batch(batch);
  } catch (const Error& error) {
    return board_.notice(error.what());  // it stays in doubt, and the next answer asks for this again
  }
  batches_.erase(batch);
  for (const AttemptId id : submitted_in(batch)) {
    ClusterJob& job = board_.jobs.at(id);
    const bool is_over = job.was_taken_up || job.is_gone;
    job.stage = is_over ? Stage::kSubmitted : Stage::kWaiting;
    if (is_over && !job.is_gone) board_.lose(job, steady_clock::now(), false);
  }
}

}  // namespace tune::engine
