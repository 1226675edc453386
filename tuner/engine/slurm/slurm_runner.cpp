#include "tuner/engine/slurm/slurm_runner.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <utility>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/exit_record.h"
#include "tuner/core/slurm_boot.h"
#include "tuner/engine/attempt/attempt_launch.h"
#include "tuner/engine/slurm/cluster_job.h"
#include "tuner/engine/slurm/job_board.h"
#include "tuner/engine/slurm/job_options.h"
#include "tuner/engine/slurm/job_records.h"
#include "tuner/engine/slurm/job_submitter.h"
#include "tuner/engine/slurm/queue_watch.h"
#include "tuner/os/descriptor.h"
#include "tuner/os/file_system.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/unreadable_file.h"

namespace tune::engine {
namespace {

using std::chrono::steady_clock;

constexpr Milliseconds kBeatLook{5'000};
// How long after a job is over its last files may still come in sight, and how long a script may still run
// that Slurm has lost sight of: its supervisor looks for the fence every second, later every five.
constexpr Milliseconds kSettle{3'000}, kFenceTime{30'000};
constexpr Milliseconds kStopPatience{20'000}, kKillPatience{2'000};  // beyond the grace
constexpr std::uint64_t kMostReportBytes = 1 << 20;
constexpr Milliseconds kCancelAgain{15'000};  // as long as the job is there: scancel may not have been heard
constexpr Milliseconds kLastPatience{2'000};  // with Slurm's programs, after a second signal

using Stage = ClusterJob::Stage;

// Not at once: a controller that is well takes back within that time what waits in its queue.
GivenUp given_up_by(std::function<int()> signals) {
  const auto second = std::make_shared<std::atomic<SteadyTime>>(SteadyTime::max());
  return [signals = std::move(signals), second] {
    if (!signals || signals() < 2) return false;
    SteadyTime unseen = SteadyTime::max();
    const SteadyTime now = steady_clock::now();
    second->compare_exchange_strong(unseen, now);
    return now >= second->load() + kLastPatience;
  };
}

WallTime wall_now() { return SystemClock().wall_now(); }

}  // namespace

// What is between the loop and the jobs, and follows those by their files.
struct SlurmRunner::Impl {
  explicit Impl(const SlurmRunnerOptions& options);

  void push(RunnerEvent event);
  void ring() const;
  SteadyTime work(SteadyTime now);
  void end_waiting();
  void look_safely(ClusterJob& job, SteadyTime now);
  void look(ClusterJob& job, SteadyTime now);
  void read_report(ClusterJob& job, SteadyTime now);
  void look_at_life(ClusterJob& job, SteadyTime now);
  void on_begin(ClusterJob& job, SteadyTime now);
  void end_lost(ClusterJob& job);
  void end_refused(AttemptId id, const std::string& problem);
  void keep_stop(ClusterJob& job, SteadyTime now);
  void finish(AttemptId id, const std::string& loss);
  JobShare share_of(const Attempt& attempt) const;

  const std::optional<Milliseconds> default_time;
  int parallel;
  Descriptor wake_descriptor;
  JobBoard board;
  const std::uint64_t program_bytes;
  JobSubmitter submitter;
  QueueWatch queue;
  std::deque<RunnerEvent> events;
};

SlurmRunner::Impl::Impl(const SlurmRunnerOptions& options)
    : default_time(options.default_time),
      parallel(options.parallel.value_or(kJobsAtOnce)),
      wake_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      board(options.settings, options.work, options.study, options.supervisor, given_up_by(options.signals),
            [this] { ring(); }),
      program_bytes(std::filesystem::file_size(board.supervisor)),
      submitter(board, [this](AttemptId id, const std::string& problem) { end_refused(id, problem); }),
      queue(board, submitter) {
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

void SlurmRunner::Impl::ring() const {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_descriptor.get(), &one, sizeof one) == 0);
}

// All that is due; when to come again.
SteadyTime SlurmRunner::Impl::work(SteadyTime now) {
  for (const CommandLane::Then& then : board.lane.take()) then();
  end_waiting();
  submitter.work(now);
  std::vector<AttemptId> due;
  for (auto& [id, job] : board.jobs)
    if (job.stage != Stage::kWaiting && now >= job.next_look) due.push_back(id);
  for (const AttemptId id : due)
    if (ClusterJob* job = board.find(id)) look_safely(*job, now);
  queue.work(now);
  SteadyTime next = std::min(submitter.due(), queue.due());
  for (const auto& [id, job] : board.jobs)
    if (job.stage != Stage::kWaiting) next = std::min(next, job.next_look);
  return next;
}

// What is to end and was not submitted, or not for good.
void SlurmRunner::Impl::end_waiting() {
  std::vector<AttemptId> stopped;
  for (const auto& [id, job] : board.jobs)
    if (job.stage == Stage::kWaiting && job.stop) stopped.push_back(id);
  for (const AttemptId id : stopped) end_lost(board.jobs.at(id));
}

// A file server that does not answer says nothing about a job either.
void SlurmRunner::Impl::look_safely(ClusterJob& job, SteadyTime now) {
  try {
    look(job, now);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kEnvironment) throw;
    board.notice_unread(error);
  }
}

void SlurmRunner::Impl::look(ClusterJob& job, SteadyTime now) {
  job.next_look = now + look_interval(job, board.jobs.size(), now);
  look_anew(job.folder);
  if (!job.began) on_begin(job, now);
  if (has_file(job.folder, kExitFile)) {
    read_report(job, now);
    return finish(job.id, job.is_of_failed_node() ? node_failure(job) : "");
  }
  if (has_file(job.folder, kEndedFile) && !job.is_gone) {
    job.state = "ENDED";
    return board.lose(job, now, false);
  }
  if (job.began && !job.is_gone) {
    if (has_file(job.folder, kAgainFile)) {
      job.state = "REQUEUED";
      return board.lose(job, now, true);
    }
    std::error_code ignored;
    const std::uintmax_t bytes = std::filesystem::file_size(job.folder / kMetricsFile, ignored);
    if (!ignored && bytes != job.metrics_bytes) {
      job.metrics_bytes = bytes;
      push({RunnerEventKind::kProgress, job.id});
    }
    look_at_life(job, now);
  }
  if (job.is_gone && now >= job.gone_since + (job.may_run_on ? kFenceTime : kSettle)) return end_lost(job);
  if (job.stop) keep_stop(job, now);
}

// Throws UnreadableFile as long as waiting may help. For longer than a supervisor may be silent nobody waits.
void SlurmRunner::Impl::read_report(ClusterJob& job, SteadyTime now) {
  try {
    static_cast<void>(read_regular_file(job.folder / kExitFile, kMostReportBytes));
    const Descriptor opened(open_regular_file(job.folder / kMetricsFile).descriptor);
  } catch (const UnreadableFile&) {
    if (!job.unread_since) job.unread_since = now;
    if (now - *job.unread_since < kUnheardBeats * kJobHeartbeat) throw;
  }
}

void SlurmRunner::Impl::on_begin(ClusterJob& job, SteadyTime now) {
  const auto alive = read_alive(job.folder, job.token);
  if (!alive) return;
  job.began = true;
  job.since = now;
  job.alive = *alive;
  job.first_written = alive->beat == 0 ? alive->written : alive->began;
  job.alive_changed = now;
  job.next_beat_look = now + kBeatLook;
  if (job.job.empty()) job.job = alive->job;
  submitter.on_seen(job, now);
  if (const std::string problem = clock_problem(job, wall_now()); !problem.empty()) board.notice(problem);
  RunnerEvent event{RunnerEventKind::kBegan, job.id};
  event.begin = JobBegin{begin_of(job, wall_now()), devices_of(*alive, board.settings.gpus),
                         alive->job + " on " + alive->node};
  push(std::move(event));
}

// What it writes itself is believed by our own clock alone.
void SlurmRunner::Impl::look_at_life(ClusterJob& job, SteadyTime now) {
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
  if (board.is_full()) {
    job.alive_changed = now;
    return;
  }
  board.pace.hurry(now);
  if (silent < kUnheardBeats * kJobHeartbeat || queue.is_silent()) return;
  job.unheard =
      "its supervisor on " + job.alive.node + " gave no sign of life for " + format_duration(silent);
  board.cancel({job.job}, false);
  board.lose(job, now, true);
}

// Nothing has told how it ended, and nothing will.
void SlurmRunner::Impl::end_lost(ClusterJob& job) {
  const JobLoss loss = loss_of(job, steady_clock::now());
  if (loss.record)
    board.write_exit(job, *loss.record);
  else if (!job.began)
    queue.explain_unseen(job);
  finish(job.id, loss.why);
}

void SlurmRunner::Impl::end_refused(AttemptId id, const std::string& problem) {
  ExitRecord record;
  record.start_error = ENOEXEC;
  record.exit_code = 127;
  record.failure = "sbatch refused its job: " + problem;
  board.write_exit(board.jobs.at(id), record);
  finish(id, {});
}

void SlurmRunner::Impl::keep_stop(ClusterJob& job, SteadyTime now) {
  if (now < job.stop->cancel_at || job.is_gone) return;
  // Nobody waits for a controller that is down: whenever the job begins, its supervisor finds the fence.
  if (!job.began && queue.is_silent()) return board.lose(job, now, true);
  job.stop->cancel_at = now + kCancelAgain;
  if (!job.job.empty()) board.cancel({job.job}, false);
  board.pace.hurry(now);
}

void SlurmRunner::Impl::finish(AttemptId id, const std::string& loss) {
  const ClusterJob& job = board.jobs.at(id);
  RunnerEvent event{RunnerEventKind::kExited, id};
  event.held = held_time(job, wall_now());
  event.loss = loss;
  board.jobs.erase(id);
  push(std::move(event));
}

JobShare SlurmRunner::Impl::share_of(const Attempt& attempt) const {
  const SlurmSettings& settings = board.settings;
  const std::optional<Milliseconds> asked = job_time(settings, attempt.time_limit);
  const std::optional<Milliseconds> time = asked ? asked : default_time;
  JobShare share;
  share.threads = settings.cpus;
  share.nodes = settings.nodes_per_trial;
  share.gpus = settings.gpus;
  share.processes = settings.processes_per_trial;
  share.program_bytes = program_bytes;
  if (time) share.time_left = time_for_attempt(*time, attempt.grace);
  return share;
}

SlurmRunner::SlurmRunner(const SlurmRunnerOptions& options) : impl_(std::make_unique<Impl>(options)) {}
SlurmRunner::~SlurmRunner() {
  // What is not asked any more the next run finds by the jobs' comments, and the jobs by their files.
  if (impl_->board.given_up()) return;
  impl_->board.lane.wait_until_idle();
  impl_->queue.end_left_overs();
}

AttemptRecord SlurmRunner::start(const Attempt& attempt) {
  TUNE_CHECK(!impl_->board.find(attempt.id), "the attempt runs already");
  ClusterJob job;
  job.id = attempt.id;
  job.token = attempt.token;
  job.folder = std::filesystem::absolute(attempt.folder);
  job.launch_file = write_launch_files(attempt, impl_->share_of(attempt));
  job.time = job_time(impl_->board.settings, attempt.time_limit);
  job.secrets = attempt.secret_environment;
  job.since = steady_clock::now();
  impl_->board.jobs.emplace(attempt.id, std::move(job));
  AttemptRecord record;
  record.id = attempt.id;
  record.token = attempt.token;
  record.folder = attempt.folder;
  record.boot_id = kSlurmBoot;
  record.threads = impl_->board.settings.cpus;
  record.waits = true;
  return record;
}

bool SlurmRunner::attach(const AttemptRecord& record) {
  TUNE_CHECK(!impl_->board.find(record.id), "the attempt runs already");
  const SteadyTime now = steady_clock::now();
  ClusterJob job;
  job.id = record.id;
  job.token = record.token;
  job.folder = std::filesystem::absolute(record.folder);
  job.launch_file = job.folder / kLaunchFile;
  job.since = job.submitted = job.next_look = now;
  job.was_taken_up = true;
  std::optional<SubmitRecord> submitted;
  try {
    submitted = read_submit(record.folder);
    // What an earlier run has stopped, and did not see end.
    if (const auto asked = read_stop(record.folder, record.token))
      job.stop = AskedStop{asked->grace, asked->reason, now + asked->grace + kStopPatience};
  } catch (const UnreadableFile& error) {
    // Nobody can say whether it runs, and where. What does of it finds the fence.
    impl_->board.notice(std::string(error.what()) +
                        ", so its job is given up, and its trial runs again: " + error.hint());
    job.stage = Stage::kSubmitted;
    impl_->board.lose(job, now, true);
    impl_->board.jobs.emplace(record.id, std::move(job));
    return true;
  }
  // It was never submitted, and never will be. One that has ended is taken up too: its files tell where it
  // ran.
  if (!submitted || submitted->token != record.token) return false;
  job.batch = submitted->batch;
  job.index = submitted->index;
  job.job = submitted->job;
  job.submitted_at = submitted->time;
  // Without a number nobody knows whether sbatch was heard.
  job.stage = job.job.empty() ? Stage::kSubmitting : Stage::kSubmitted;
  impl_->submitter.take_up(job, now);
  impl_->board.pace.hurry(now);
  impl_->board.jobs.emplace(record.id, std::move(job));
  return true;
}

Capacity SlurmRunner::capacity() {
  const int taken = static_cast<int>(impl_->board.jobs.size());
  return {std::max(0, impl_->parallel - taken), impl_->parallel, {}, {}};
}

std::vector<std::string> SlurmRunner::take_notices() { return std::exchange(impl_->board.notices, {}); }
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
  ClusterJob* job = impl_->board.find(id);
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
  job->next_look = now;
  try {
    write_stop(job->folder, job->token, {grace, job->stop->reason});
  } catch (const Error& error) {
    impl_->board.notice(error.what());
  }
  // One that waits in the queue ends at once, and one that begins just now reads what was written.
  if (!job->began && !job->job.empty()) {
    impl_->board.cancel({job->job}, true);
    impl_->board.pace.hurry(now);
  }
}

void SlurmRunner::wake() { impl_->ring(); }

}  // namespace tune::engine
