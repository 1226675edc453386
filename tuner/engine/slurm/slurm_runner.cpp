#include "tuner/engine/slurm/slurm_runner.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/exit_record.h"
#include "tuner/core/plural_text.h"
#include "tuner/engine/attempt/attempt_launch.h"
#include "tuner/engine/attempt/supervisor_process.h"
#include "tuner/engine/slurm/cluster_job.h"
#include "tuner/engine/slurm/command_lane.h"
#include "tuner/engine/slurm/job_folder.h"
#include "tuner/engine/slurm/job_options.h"
#include "tuner/engine/slurm/query_pace.h"
#include "tuner/engine/slurm/slurm_commands.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/descriptor.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

// What is started within this time is submitted together.
constexpr Milliseconds kGather{15};
constexpr std::size_t kLargestArray = 200;  // Slurm's MaxArraySize is 1001 unless a site changes it
constexpr Milliseconds kBeatLook{5'000};
// A supervisor that was not heard of for so many heartbeats is looked for, or given up though its job runs.
constexpr int kSuspectBeats = 3, kUnheardBeats = 12;
// How long after a job is over its last files may still come in sight (NFS keeps what it knows of a folder
// for 30 s at most), and how long a script may still run that Slurm has lost sight of: its supervisor looks
// for the fence every second, later every five.
constexpr Milliseconds kSettle{3'000}, kFenceTime{30'000};
// A submission that nobody knows of is looked for so long before it is made again.
constexpr Milliseconds kDoubt{12'000};
constexpr Milliseconds kStopPatience{20'000}, kKillPatience{2'000};  // beyond the grace
constexpr Milliseconds kFirstRetry{2'000}, kLongestRetry{60'000};

// A batch whose submission nobody knows of.
struct Doubt {
  SteadyTime since;
  std::string problem;
  int looks = 0;
};

using Job = ClusterJob;
using Stage = ClusterJob::Stage;

WallTime wall_now() { return SystemClock().wall_now(); }

}  // namespace

struct SlurmRunner::Impl {
  explicit Impl(const SlurmRunnerOptions& options);

  void push(RunnerEvent event);
  void notice(const std::string& sentence);
  SteadyTime work(SteadyTime now);
  void submit_waiting(SteadyTime now);
  void submit(const std::vector<AttemptId>& ids);
  void put_off(SteadyTime now, const std::string& problem);
  void remember(const Job& job);
  void on_submission(const std::string& batch, const Submission& answer, SteadyTime asked);
  void ask_queue(SteadyTime now);
  void on_queue(const QueueAnswer& answer, SteadyTime asked);
  void take_in(Job& job, const SlurmJob& listed, SteadyTime now);
  void settle_doubts(const std::set<std::string>& seen, SteadyTime asked);
  std::set<std::string> strangers_in(const QueueAnswer& answer) const;
  void end_strangers(const QueueAnswer& answer);
  void end_left_overs() const;
  void look_safely(Job& job, SteadyTime now);
  void look(Job& job, SteadyTime now);
  void look_at_life(Job& job, SteadyTime now);
  void on_begin(Job& job, SteadyTime now);
  void lose(Job& job, SteadyTime now, bool may_run_on);
  void end_lost(Job& job);
  void explain_unseen(const Job& job);
  void keep_stop(Job& job, SteadyTime now);
  void cancel(const std::vector<std::string>& jobs, bool waiting_only);
  void write_exit(const Job& job, ExitRecord record);
  void finish(AttemptId id, const std::string& loss);
  Job* find(AttemptId id);

  const SlurmSettings settings;
  JobFolder folder;
  const fs::path supervisor;
  const std::uint64_t program_bytes;
  const std::string job_name;
  const std::optional<Milliseconds> default_time;
  int parallel;
  Descriptor wake_descriptor;
  std::map<AttemptId, Job> jobs;
  std::map<std::string, std::optional<Doubt>> batches;  // that have been submitted, or may have been
  std::set<std::string> bad_nodes, strangers;
  std::deque<RunnerEvent> events;
  std::vector<std::string> notices;
  std::set<std::string> said;
  QueryPace pace{steady_clock::now()};
  bool is_asking = false, is_submitting = false, is_silent = false;
  SteadyTime retry_at{};
  Milliseconds retry_after = kFirstRetry;
  CommandLane lane;  // last: its thread ends first
};

SlurmRunner::Impl::Impl(const SlurmRunnerOptions& options)
    : settings(options.settings),
      folder(options.work),
      supervisor(fs::absolute(options.supervisor.empty() ? find_supervisor() : options.supervisor)),
      program_bytes(fs::file_size(supervisor)),
      job_name("tune-" + options.study + "-" + folder.mark()),
      default_time(options.default_time),
      parallel(options.parallel.value_or(kJobsAtOnce)),
      wake_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      lane([this] {
        const std::uint64_t one = 1;
        static_cast<void>(::write(wake_descriptor.get(), &one, sizeof one) == 0);
      }) {
  if (wake_descriptor.get() < 0)
    throw Error(ExitCode::kEnvironment, std::string("cannot open an eventfd: ") + std::strerror(errno));
}

void SlurmRunner::Impl::push(RunnerEvent event) {
  const auto is_same = [&](const RunnerEvent& other) {
    return other.kind == event.kind && other.id == event.id;
  };
  // One is as good as many until it is read.
  if (std::none_of(events.begin(), events.end(), is_same)) events.push_back(std::move(event));
}

void SlurmRunner::Impl::notice(const std::string& sentence) {
  if (said.insert(sentence).second) notices.push_back(sentence);
}

Job* SlurmRunner::Impl::find(AttemptId id) {
  const auto found = jobs.find(id);
  return found == jobs.end() ? nullptr : &found->second;
}

// All that is due; when to come again.
SteadyTime SlurmRunner::Impl::work(SteadyTime now) {
  for (const CommandLane::Then& then : lane.take()) then();
  submit_waiting(now);
  SteadyTime next = SteadyTime::max();
  std::vector<AttemptId> due;
  for (auto& [id, job] : jobs)
    if (job.stage != Stage::kWaiting && now >= job.next_look) due.push_back(id);
  for (const AttemptId id : due)
    if (Job* job = find(id)) look_safely(*job, now);
  if (!jobs.empty() && !is_asking && pace.is_due(now)) ask_queue(now);
  if (!jobs.empty() && !is_asking) next = std::min(next, pace.next());
  for (const auto& [id, job] : jobs) {
    if (job.stage != Stage::kWaiting)
      next = std::min(next, job.next_look);
    else if (!is_submitting)
      next = std::min(next, std::max(retry_at, job.since + kGather));
  }
  return next;
}

void SlurmRunner::Impl::submit_waiting(SteadyTime now) {
  if (is_submitting || now < retry_at) return;
  std::vector<AttemptId> waiting;
  SteadyTime oldest = SteadyTime::max();
  for (const auto& [id, job] : jobs) {
    if (job.stage != Stage::kWaiting) continue;
    oldest = std::min(oldest, job.since);
    // Tasks of an array have their time in common.
    if (waiting.size() < kLargestArray && (waiting.empty() || job.time == jobs.at(waiting.front()).time))
      waiting.push_back(id);
  }
  if (waiting.empty() || now < oldest + kGather) return;
  try {
    submit(waiting);
  } catch (const Error& error) {
    for (const AttemptId id : waiting) jobs.at(id).stage = Stage::kWaiting;
    put_off(now, error.what());
  }
}

void SlurmRunner::Impl::put_off(SteadyTime now, const std::string& problem) {
  retry_at = now + retry_after;
  retry_after = std::min(2 * retry_after, kLongestRetry);
  notice("jobs cannot be submitted for now, and it is tried again: " + problem);
}

// The list and submit.json come first: whoever finds them later can look the jobs up by their comment.
void SlurmRunner::Impl::submit(const std::vector<AttemptId>& ids) {
  std::vector<fs::path> launch_files;
  for (const AttemptId id : ids) launch_files.push_back(jobs.at(id).launch_file);
  const std::string batch = folder.write_batch(launch_files);
  std::map<std::string, std::string> secrets;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Job& job = jobs.at(ids[i]);
    job.batch = batch;
    job.index = static_cast<int>(i);
    job.stage = Stage::kSubmitting;
    job.submitted_at = wall_now();
    job.next_look = SteadyTime::max();
    write_submit(job.folder, {job.token, batch, job.index, {}, job.submitted_at});
    secrets.insert(job.secrets.begin(), job.secrets.end());
  }
  crash_point("batch_written");
  batches[batch] = std::nullopt;
  is_submitting = true;
  std::vector<std::string> arguments = job_options(settings, jobs.at(ids.front()).time);
  arguments.insert(arguments.begin(), {"--job-name=" + job_name, "--comment=tune:" + batch});
  if (ids.size() > 1) arguments.push_back("--array=0-" + std::to_string(ids.size() - 1));
  if (!bad_nodes.empty()) {
    std::string list;
    for (const std::string& node : bad_nodes) list += (list.empty() ? "" : ",") + node;
    arguments.push_back("--exclude=" + list);
  }
  for (const fs::path& part : {folder.script(), folder.batch_file(batch), supervisor})
    arguments.push_back(part.string());
  const SteadyTime asked = steady_clock::now();
  lane.add([this, batch, arguments, secrets, asked]() -> CommandLane::Then {
    const Submission answer = submit_job(arguments, secrets);
    return [this, batch, answer, asked] { on_submission(batch, answer, asked); };
  });
}

// The job's number; without it a later run looks the job up.
void SlurmRunner::Impl::remember(const Job& job) {
  try {
    write_submit(job.folder, {job.token, job.batch, job.index, job.job, job.submitted_at});
  } catch (const Error& error) {
    notice(error.what());
  }
}

void SlurmRunner::Impl::on_submission(const std::string& batch, const Submission& answer, SteadyTime asked) {
  is_submitting = false;
  const SteadyTime now = steady_clock::now();
  std::vector<AttemptId> ids;
  for (const auto& [id, job] : jobs)
    if (job.batch == batch && job.stage == Stage::kSubmitting) ids.push_back(id);
  if (answer.kind == Submission::Kind::kAccepted) {
    crash_point("batch_submitted");
    retry_after = kFirstRetry;
    for (const AttemptId id : ids) {
      Job& job = jobs.at(id);
      job.stage = Stage::kSubmitted;
      job.submitted = job.next_look = now;
      job.job = ids.size() > 1 ? answer.job + "_" + std::to_string(job.index) : answer.job;
      remember(job);
    }
    return;
  }
  if (answer.kind == Submission::Kind::kDoubtful) {
    notice("sbatch did not say whether it has taken a job (" + answer.problem +
           "): the job is looked for before it is submitted again");
    batches[batch] = Doubt{asked, answer.problem};
    pace.hurry(now);
    return;
  }
  batches.erase(batch);
  if (answer.kind == Submission::Kind::kBusy) {
    for (const AttemptId id : ids) jobs.at(id).stage = Stage::kWaiting;
    return put_off(now, answer.problem);
  }
  for (const AttemptId id : ids) {
    Job& job = jobs.at(id);
    ExitRecord record;
    record.start_error = ENOEXEC;
    record.exit_code = 127;
    record.failure = "sbatch refused its job: " + answer.problem;
    write_exit(job, record);
    finish(id, {});
  }
}

void SlurmRunner::Impl::ask_queue(SteadyTime now) {
  is_asking = true;
  pace.on_query(now);
  lane.add([this, name = job_name]() -> CommandLane::Then {
    const SteadyTime asked = steady_clock::now();
    const QueueAnswer answer = queued_jobs(name);
    return [this, answer, asked] { on_queue(answer, asked); };
  });
}

void SlurmRunner::Impl::on_queue(const QueueAnswer& answer, SteadyTime asked) {
  const SteadyTime now = steady_clock::now();
  is_asking = false;
  pace.on_answer(now);
  if (!answer.problem.empty()) {
    if (!std::exchange(is_silent, true))
      notices.push_back("Slurm does not answer, so nothing is known of the jobs but what they write: " +
                        answer.problem);
    return;
  }
  if (std::exchange(is_silent, false)) notices.push_back("Slurm answers again");
  std::map<std::pair<std::string, int>, const SlurmJob*> listed;
  std::set<std::string> seen;
  for (const SlurmJob& each : answer.jobs) {
    if (!each.comment.starts_with("tune:")) continue;
    const std::string batch = each.comment.substr(5);
    listed[{batch, each.index}] = &each;
    seen.insert(batch);
  }
  settle_doubts(seen, asked);
  for (auto& [id, job] : jobs) {
    if (job.stage == Stage::kWaiting) continue;
    // Of one that was taken up, its batch is known to have been submitted by now.
    if (job.stage == Stage::kSubmitting && job.was_taken_up && !batches[job.batch])
      job.stage = Stage::kSubmitted, job.submitted = asked - Milliseconds(1);
    const auto found = listed.find({job.batch, job.index});
    if (found != listed.end())
      take_in(job, *found->second, now);
    else if (job.stage == Stage::kSubmitted && job.submitted < asked && !job.is_gone)
      // Slurm forgets jobs that ended a while ago (MinJobAge).
      lose(job, now, false);
  }
  end_strangers(answer);
}

void SlurmRunner::Impl::take_in(Job& job, const SlurmJob& listed, SteadyTime now) {
  if (job.stage == Stage::kSubmitting) {
    job.stage = Stage::kSubmitted;
    job.submitted = job.next_look = now;
  }
  if (job.job != listed.id) {
    job.job = listed.id;
    remember(job);
  }
  job.state = listed.state;
  if (!listed.nodes.empty()) job.nodes = listed.nodes;
  if (listed.start) job.start = listed.start;
  if (listed.is_over()) job.end = listed.end;
  if (job.is_gone) return;
  if (listed.is_over()) {
    pace.hurry(now);
    // Slurm gives a node up that does not answer, and what runs there may run on.
    return lose(job, now, listed.state == "NODE_FAIL");
  }
  if (listed.state == "PENDING" && job.began) {
    // Slurm has queued it again, against our wish, and its first script may still run.
    job.state = "REQUEUED";
    cancel({job.job}, true);
    return lose(job, now, true);
  }
  if (const std::string why = hopeless_reason(listed); !why.empty())
    notice("jobs wait in Slurm's queue, and may wait for ever: " + why + " (`squeue --me --name=" + job_name +
           "` shows them)");
}

// A submission that was in doubt has been seen by now, or is made again: under another name, and the first is
// void, so that a controller that comes upon it late begins nothing twice.
void SlurmRunner::Impl::settle_doubts(const std::set<std::string>& seen, SteadyTime asked) {
  std::vector<std::string> again;
  for (auto& [batch, doubt] : batches) {
    if (!doubt) continue;
    if (seen.contains(batch)) {
      doubt.reset();
      continue;
    }
    pace.hurry(asked);
    if (++doubt->looks >= 2 && asked > doubt->since + kDoubt) again.push_back(batch);
  }
  for (const std::string& batch : again) {
    folder.void_batch(batch);
    batches.erase(batch);
    for (auto& [id, job] : jobs) {
      if (job.batch != batch || job.stage != Stage::kSubmitting) continue;
      if (job.was_taken_up) {
        job.stage = Stage::kSubmitted;
        lose(job, steady_clock::now(), false);
      } else {
        job.stage = Stage::kWaiting;
      }
    }
  }
}

std::set<std::string> SlurmRunner::Impl::strangers_in(const QueueAnswer& answer) const {
  std::set<std::string> unknown;
  for (const SlurmJob& each : answer.jobs) {
    if (each.is_over() || each.state == "COMPLETING") continue;
    const bool is_ours = std::any_of(jobs.begin(), jobs.end(), [&](const auto& entry) {
      return "tune:" + entry.second.batch == each.comment && entry.second.index == each.index;
    });
    if (!is_ours) unknown.insert(each.id);
  }
  return unknown;
}

// Slurm may take a job for running whose node it has lost sight of, though its attempt has long ended.
void SlurmRunner::Impl::end_left_overs() const {
  if (batches.empty()) return;
  const std::set<std::string> left = strangers_in(queued_jobs(job_name));
  cancel_jobs({left.begin(), left.end()}, false);
}

// Jobs of this study that nobody waits for: of a submission that was given up, or of an orchestrator that
// died. Seen twice, since one that has just ended may still be listed.
void SlurmRunner::Impl::end_strangers(const QueueAnswer& answer) {
  std::set<std::string> unknown = strangers_in(answer);
  std::vector<std::string> twice;
  std::set_intersection(unknown.begin(), unknown.end(), strangers.begin(), strangers.end(),
                        std::back_inserter(twice));
  strangers = std::move(unknown);
  if (twice.empty()) return;
  notice("jobs of this study that no trial waits for are cancelled: " + twice.front() +
         (twice.size() > 1 ? " and " + std::to_string(twice.size() - 1) + " more" : ""));
  cancel(twice, false);
}

void SlurmRunner::Impl::cancel(const std::vector<std::string>& names, bool waiting_only) {
  lane.add([this, names, waiting_only]() -> CommandLane::Then {
    const std::string problem = cancel_jobs(names, waiting_only);
    return [this, problem] {
      if (!problem.empty()) notice("scancel failed, and is tried again: " + problem);
    };
  });
}

// A file server that does not answer says nothing about a job either.
void SlurmRunner::Impl::look_safely(Job& job, SteadyTime now) {
  try {
    look(job, now);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kEnvironment) throw;
    notice(std::string("the files of jobs cannot be read, and are tried again: ") + error.what());
  }
}

void SlurmRunner::Impl::look(Job& job, SteadyTime now) {
  job.next_look = now + look_interval(job, jobs.size(), now);
  if (!job.began) on_begin(job, now);
  if (has_file(job.folder, kExitFile))
    return finish(job.id, job.is_of_failed_node() ? node_failure(job) : "");
  if (has_file(job.folder, kEndedFile) && !job.is_gone) {
    job.state = "ENDED";
    return lose(job, now, false);
  }
  if (job.began && !job.is_gone) {
    if (has_file(job.folder, kAgainFile)) {
      job.state = "REQUEUED";
      return lose(job, now, true);
    }
    std::error_code ignored;
    const std::uintmax_t bytes = fs::file_size(job.folder / kMetricsFile, ignored);
    if (!ignored && bytes != job.metrics_bytes) {
      job.metrics_bytes = bytes;
      push({RunnerEventKind::kProgress, job.id});
    }
    look_at_life(job, now);
  }
  if (job.is_gone && now >= job.gone_since + (job.may_run_on ? kFenceTime : kSettle)) return end_lost(job);
  if (job.stop) keep_stop(job, now);
}

void SlurmRunner::Impl::on_begin(Job& job, SteadyTime now) {
  const auto alive = read_alive(job.folder, job.token);
  if (!alive) return;
  job.began = true;
  job.since = now;
  job.alive = *alive;
  job.first_written = alive->beat == 0 ? alive->written : alive->began;
  job.alive_changed = now;
  job.next_beat_look = now + kBeatLook;
  if (job.job.empty()) job.job = alive->job;
  if (job.stage == Stage::kSubmitting) {
    job.stage = Stage::kSubmitted;
    job.submitted = now;
    batches[job.batch].reset();
  }
  if (const std::string problem = clock_problem(job, wall_now()); !problem.empty()) notice(problem);
  RunnerEvent event{RunnerEventKind::kBegan, job.id};
  event.begin = JobBegin{job.start.value_or(alive->began), devices_of(*alive, settings.gpus_per_trial),
                         alive->job + " on " + alive->node};
  push(std::move(event));
}

// What it writes itself is believed by our own clock alone.
void SlurmRunner::Impl::look_at_life(Job& job, SteadyTime now) {
  if (now < job.next_beat_look) return;
  job.next_beat_look = now + kBeatLook;
  const auto alive = read_alive(job.folder, job.token);
  if (alive && alive->beat != job.alive.beat) {
    job.alive = *alive;
    job.alive_changed = now;
    return push({RunnerEventKind::kAlive, job.id});
  }
  const auto silent = std::chrono::duration_cast<Milliseconds>(now - job.alive_changed);
  if (silent < kSuspectBeats * kJobHeartbeat) return;
  pace.hurry(now);
  if (silent < kUnheardBeats * kJobHeartbeat || is_silent) return;
  job.unheard =
      "its supervisor on " + job.alive.node + " gave no sign of life for " + format_duration(silent);
  cancel({job.job}, false);
  lose(job, now, true);
}

// Its job is over, as far as Slurm knows. Should a part of it live on, the fence ends that.
void SlurmRunner::Impl::lose(Job& job, SteadyTime now, bool may_run_on) {
  job.is_gone = true;
  job.may_run_on = may_run_on && job.began;
  job.gone_since = now;
  job.next_look = now;
  try {
    write_fence(job.folder);
  } catch (const Error& error) {
    notice(error.what());
  }
}

// Nothing has told how it ended, and nothing will.
void SlurmRunner::Impl::end_lost(Job& job) {
  const JobLoss loss = loss_of(job, steady_clock::now());
  if (loss.record)
    write_exit(job, *loss.record);
  else if (!job.began)
    explain_unseen(job);
  finish(job.id, loss.why);
}

// The script says by its exit code what it could not reach, and such a node would take one job after another.
void SlurmRunner::Impl::explain_unseen(const Job& job) {
  if (job.job.empty() || job.state == "CANCELLED") return;
  lane.add([this, name = job.job]() -> CommandLane::Then {
    const auto script = job_exit(name);
    return [this, script] {
      if (!script || script->nodes.empty() ||
          (script->code != kFolderUnseen && script->code != kSupervisorUnseen))
        return;
      bad_nodes.insert(script->nodes);
      notice("node " + script->nodes + " does not see " +
             (script->code == kFolderUnseen
                  ? "the trials' folder " + folder.path().parent_path().string() + ": mount it there"
                  : supervisor.string() + ": install tune there") +
             ". Its jobs go to other nodes meanwhile");
    };
  });
}

void SlurmRunner::Impl::keep_stop(Job& job, SteadyTime now) {
  AskedStop& stop = *job.stop;
  if (stop.is_cancelled || now < stop.cancel_at || job.job.empty()) return;
  stop.is_cancelled = true;
  cancel({job.job}, false);
  pace.hurry(now);
}

// In the place of a supervisor that has not written it. Where it cannot be written the attempt is lost.
void SlurmRunner::Impl::write_exit(const Job& job, ExitRecord record) {
  record.token = job.token;
  try {
    write_file_atomically(job.folder / kExitFile, exit_json(record).dump() + "\n");
  } catch (const Error& error) {
    notice(error.what());
  }
}

void SlurmRunner::Impl::finish(AttemptId id, const std::string& loss) {
  const Job& job = jobs.at(id);
  RunnerEvent event{RunnerEventKind::kExited, id};
  event.held = held_time(job, wall_now());
  event.loss = loss;
  jobs.erase(id);
  push(std::move(event));
}

SlurmRunner::SlurmRunner(const SlurmRunnerOptions& options) : impl_(std::make_unique<Impl>(options)) {}
SlurmRunner::~SlurmRunner() {
  impl_->lane.wait_until_idle();
  impl_->end_left_overs();
}

AttemptRecord SlurmRunner::start(const Attempt& attempt) {
  TUNE_CHECK(!impl_->find(attempt.id), "the attempt runs already");
  const std::optional<Milliseconds> asked = job_time(impl_->settings, attempt.time_limit);
  const std::optional<Milliseconds> time = asked ? asked : impl_->default_time;
  JobShare share;
  share.threads = impl_->settings.cpus;
  share.nodes = impl_->settings.nodes_per_trial;
  share.gpus = impl_->settings.gpus;
  share.processes = impl_->settings.processes_per_trial;
  share.program_bytes = impl_->program_bytes;
  if (time) share.time_left = time_for_attempt(*time, attempt.grace);
  Job job;
  job.id = attempt.id;
  job.token = attempt.token;
  job.folder = fs::absolute(attempt.folder);
  job.launch_file = write_launch_files(attempt, share);
  job.time = asked;
  job.secrets = attempt.secret_environment;
  job.since = steady_clock::now();
  impl_->jobs.emplace(attempt.id, std::move(job));
  AttemptRecord record;
  record.id = attempt.id;
  record.token = attempt.token;
  record.folder = attempt.folder;
  record.boot_id = kSlurmBoot;
  record.threads = impl_->settings.cpus;
  record.waits = true;
  return record;
}

bool SlurmRunner::attach(const AttemptRecord& record) {
  TUNE_CHECK(!impl_->find(record.id), "the attempt runs already");
  const auto submitted = read_submit(record.folder);
  // It was never submitted, and never will be. One that has ended is taken up too: its files tell where it
  // ran.
  if (!submitted || submitted->token != record.token) return false;
  const SteadyTime now = steady_clock::now();
  Job job;
  job.id = record.id;
  job.token = record.token;
  job.folder = fs::absolute(record.folder);
  job.launch_file = job.folder / kLaunchFile;
  job.since = job.submitted = job.next_look = now;
  job.batch = submitted->batch;
  job.index = submitted->index;
  job.job = submitted->job;
  job.submitted_at = submitted->time;
  job.was_taken_up = true;
  // Without a number nobody knows whether sbatch was heard.
  job.stage = job.job.empty() ? Stage::kSubmitting : Stage::kSubmitted;
  std::optional<Doubt>& doubt = impl_->batches[job.batch];
  if (job.job.empty()) doubt = Doubt{now, "tune died meanwhile"};
  impl_->pace.hurry(now);
  impl_->jobs.emplace(record.id, std::move(job));
  return true;
}

Capacity SlurmRunner::capacity() {
  const int taken = static_cast<int>(impl_->jobs.size());
  return {std::max(0, impl_->parallel - taken), impl_->parallel, {}, {}};
}

std::vector<std::string> SlurmRunner::take_notices() { return std::exchange(impl_->notices, {}); }
void SlurmRunner::set_parallel(int parallel) { impl_->parallel = parallel; }

RunnerEvent SlurmRunner::wait(SteadyTime deadline) {
  while (true) {
    const SteadyTime now = steady_clock::now();
    const SteadyTime next = impl_->work(now);
    if (!impl_->events.empty()) {
      RunnerEvent event = std::move(impl_->events.front());
      impl_->events.pop_front();
      return event;
    }
    if (now >= deadline) return {RunnerEventKind::kDeadline, {}};
    const auto left = std::chrono::ceil<Milliseconds>(std::min(next, deadline) - now).count();
    pollfd wakes{impl_->wake_descriptor.get(), POLLIN, 0};
    if (::poll(&wakes, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000))) != 1) continue;
    std::uint64_t count = 0;
    static_cast<void>(::read(wakes.fd, &count, sizeof count) == 0);
    impl_->events.push_back({RunnerEventKind::kWoken, {}});
  }
}

void SlurmRunner::stop(AttemptId id, Milliseconds grace, StopReason reason) {
  Job* job = impl_->find(id);
  if (!job) return;
  const SteadyTime now = steady_clock::now();
  const SteadyTime cancel_at = now + grace + (grace.count() > 0 ? kStopPatience : kKillPatience);
  if (!job->stop) {
    job->stop = AskedStop{grace, reason, cancel_at};
  } else if (cancel_at < job->stop->cancel_at) {
    job->stop->grace = grace;
    job->stop->cancel_at = cancel_at;
  } else {
    return;
  }
  if (job->stage == Stage::kWaiting) return impl_->end_lost(*job);
  try {
    write_stop(job->folder, job->token, grace, job->stop->reason);
  } catch (const Error& error) {
    impl_->notice(error.what());
  }
  // One that waits in the queue ends at once, and one that begins just now reads what was written.
  if (!job->began && !job->job.empty()) {
    impl_->cancel({job->job}, true);
    impl_->pace.hurry(now);
  }
}

void SlurmRunner::wake() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(impl_->wake_descriptor.get(), &one, sizeof one) == 0);
}

}  // namespace tune::engine
