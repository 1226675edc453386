#include "tuner/supervisor/supervisor.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/os/process.h"

namespace tune::supervisor {
namespace {

using std::chrono::steady_clock;

// Metrics are announced this late, so that a burst costs the loop one event and a trial that ends at once
// none.
constexpr Milliseconds kWakeDelay{10};
// Between the signals that a cluster sends to the processes of one job lay 10 ms (Slurm 22.05, two
// processes). A trainer that has ended well seldom did so for a signal, and everybody would wait.
constexpr Milliseconds kVerdict{500}, kQuickVerdict{30};
constexpr Milliseconds kKillInterval{5};       // between two passes of SIGKILL over a tree
constexpr Milliseconds kRetryInterval{100};    // between two attempts to write to a full disk
constexpr Milliseconds kAgainInterval{1'000};  // the same of what nobody waits for
constexpr std::size_t kChunk = 64 * 1024;      // what a pipe holds
constexpr std::size_t kDrainLimit = 1 << 20;   // the most that a pipe can hold (/proc/sys/fs/pipe-max-size)

// The number behind "oom_kill" in a file of lines "name number".
std::optional<std::uint64_t> count_in(const std::string& path) {
  std::ifstream file(path);
  std::string name;
  for (std::uint64_t number = 0; file >> name >> number;)
    if (name == "oom_kill") return number;
  return std::nullopt;
}

// Where our control group's counter lies: the line "0::PATH" is version 2, "N:memory:PATH" version 1.
std::optional<std::uint64_t> count_of_control_group() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    std::istringstream fields(line);
    std::string number, controllers, path;
    std::getline(fields, number, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, path);
    if (path == "/") path.clear();
    std::optional<std::uint64_t> count;
    if (controllers.empty()) count = count_in("/sys/fs/cgroup" + path + "/memory.events");
    if (controllers == "memory") count = count_in("/sys/fs/cgroup/memory" + path + "/memory.oom_control");
    if (count) return count;
  }
  return std::nullopt;
}

// How often the kernel has killed a process for want of memory: in our control group (version 2:
// memory.events, version 1: memory.oom_control), else on the whole machine (/proc/vmstat); 0 where nothing
// tells. $TUNE_OOM_FILE names another file, for tests.
std::uint64_t oom_kills() {
  if (const char* file = std::getenv("TUNE_OOM_FILE")) return count_in(file).value_or(0);
  if (const auto count = count_of_control_group()) return *count;
  return count_in("/proc/vmstat").value_or(0);
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

void close_descriptor(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

}  // namespace

Supervisor::Supervisor(const Launch& launch)
    : launch_(launch),
      output_(launch),
      control_(launch.control),
      output_silence_(launch.no_output, launch.quiet_after),
      // Between two metrics an epoch may pass, in which lines are printed.
      metric_silence_(launch.no_metric_time, 6 * launch.quiet_after) {
  record_.token = launch.token;
  if (launch.job) seat_.emplace(launch);
}

int Supervisor::signal_descriptor() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit shows as EFBIG then
  return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

// False when the attempt is not this process's to run. What keeps the trainer from being started is recorded.
bool Supervisor::begins_in_job() {
  const Claim claim = seat_->take();
  if (claim == Claim::kAnothers) say_again();
  if (claim != Claim::kTaken) return false;
  if (!seat_->objection().empty()) {
    record_.failure = seat_->objection();
    record_.start_error = ENOEXEC;
  } else if (const auto word = seat_->look(steady_clock::now())) {
    record_.stop_text = word->reason;
  }
  return true;
}

// Without that word the end of this job would pass for the attempt's, though its first supervisor may live on
// a node that the cluster has lost sight of. So this one stays until it has been said, or is told to go.
void Supervisor::say_again() {
  int said = 0;
  pollfd signals{signals_, POLLIN, 0};
  do {
    const int reason = seat_->say_again();
    if (reason == 0) return;
    if (std::exchange(said, reason) != reason)
      std::fprintf(
          stderr,
          "tune-supervisor: the job was begun a second time, and \"%s\" cannot be written in \"%s\": "
          "%s; it is tried again until there is room\n",
          kAgainFile, launch_.folder.c_str(), std::strerror(reason));
  } while (::poll(&signals, 1, static_cast<int>(kAgainInterval.count())) == 0);
}

int Supervisor::run() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  // The death of the loop shows at the end of its socket, which a supervisor that is stopped (SIGSTOP) would
  // not see: this wakes it, blocked or not. In a job the parent is the job's script.
  ::prctl(PR_SET_PDEATHSIG, seat_ ? SIGTERM : SIGCONT);
  signals_ = signal_descriptor();
  oom_kills_before_ = oom_kills();
  started_ = last_turn_ = last_told_ = steady_clock::now();
  output_silence_.begin(started_);
  metric_silence_.begin(started_);
  if (seat_ && !begins_in_job()) return 0;
  exit_file_.emplace(launch_.folder);
  if (record_.failure.empty() && record_.stop_text.empty()) {
    trainer_ = start_trainer(launch_);
    record_.failure = trainer_.failure;
    record_.start_error = trainer_.error;
  }
  if (trainer_.pid < 0) tree_is_empty_ = true;
  reap();
  while (!tree_is_empty_) {
    wait_for_something();
    keep_time();
  }
  drain_pipes();
  if (seat_ && trainer_.pid >= 0 && record_.stop_text.empty()) wait_for_verdict();
  return finish() ? 0 : 1;
}

int Supervisor::poll_timeout_ms(SteadyTime now) const {
  SteadyTime next = SteadyTime::max();
  if (phase_ == Phase::kRunning && launch_.time_limit) next = std::min(next, started_ + *launch_.time_limit);
  if (phase_ == Phase::kRunning && !tree_is_empty_)
    next = std::min({next, output_silence_.due(), metric_silence_.due()});
  if (control_ >= 0) next = std::min(next, last_told_ + kHeartbeat);
  if (seat_) next = std::min(next, seat_->due());
  if (seat_ && seat_->end() && phase_ == Phase::kRunning) next = std::min(next, *seat_->end());
  if (phase_ == Phase::kTerminating) next = std::min(next, kill_at_);
  if (phase_ == Phase::kKilling) next = std::min(next, now + kKillInterval);
  if (wake_at_) next = std::min(next, *wake_at_);
  if (output_.is_pending() || exit_is_blocked_) next = std::min(next, now + kRetryInterval);
  if (next == SteadyTime::max()) return -1;
  const auto left = std::chrono::ceil<Milliseconds>(next - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

void Supervisor::wait_for_something() {
  // Here, since it waits for a full disk here too, with the trainer gone.
  if (const SteadyTime now = steady_clock::now(); control_ >= 0 && now - last_told_ >= kHeartbeat)
    tell(kSaysAlive, now);
  // poll() passes over negative descriptors. Nothing more is read while something waits to be written.
  const bool reads = !output_.is_pending();
  std::array<pollfd, 4> watched{{{signals_, POLLIN, 0},
                                 {control_, POLLIN, 0},
                                 {reads ? trainer_.out : -1, POLLIN, 0},
                                 {reads ? trainer_.err : -1, POLLIN, 0}}};
  if (::poll(watched.data(), watched.size(), poll_timeout_ms(steady_clock::now())) < 0) return;
  if (watched[1].revents) on_control();
  if (watched[2].revents) on_output(Stream::kOut);
  // The first stream's chunk may have hit a full disk.
  if (watched[3].revents && !output_.is_pending()) on_output(Stream::kErr);
  if (watched[0].revents) on_signals();
}

void Supervisor::on_signals() {
  signalfd_siginfo info;
  while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == static_cast<std::uint32_t>(SIGCHLD)) continue;
    // The trainer may have had the same signal before.
    if (seat_ && record_.stop_text.empty() && (!status_ || steady_clock::now() < ended_ + verdict_time()))
      record_.stop_text = to_string(StopReason::kTerminated);
    stop(launch_.grace, to_string(StopReason::kTerminated));
  }
  reap();
}

void Supervisor::on_control() {
  std::array<char, 1024> buffer;
  const ssize_t got = ::recv(control_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    close_descriptor(control_);
    stop(Milliseconds(0), to_string(StopReason::kLost));
    return;
  }
  commands_.append(buffer.data(), static_cast<std::size_t>(got));
  for (std::size_t end; (end = commands_.find('\n')) != std::string::npos; commands_.erase(0, end + 1))
    on_command(std::string_view(commands_).substr(0, end));
}

void Supervisor::on_command(std::string_view line) {
  constexpr std::string_view kStop = "stop ";
  if (!line.starts_with(kStop)) return;
  line.remove_prefix(kStop.size());
  std::int64_t grace_ms = 0;
  const char* end = std::from_chars(line.data(), line.data() + line.size(), grace_ms).ptr;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (line.starts_with(' ')) line.remove_prefix(1);
  stop(Milliseconds(grace_ms), std::string(line));
}

void Supervisor::on_output(Stream stream) {
  int& pipe = stream == Stream::kOut ? trainer_.out : trainer_.err;
  static std::array<char, kChunk> buffer;
  const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  // The end of a pipe says nothing about the trainer: it may have closed its output and train on.
  if (got <= 0) return close_descriptor(pipe);
  output_silence_.heard(steady_clock::now());
  output_.take(stream, std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  output_.flush(true);
}

void Supervisor::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) tree_is_empty_ = true;  // ECHILD: orphans of the tree would be our children
    if (pid <= 0) break;
    if (pid == asker_ && status != 0 && phase_ == Phase::kTerminating)
      ask_tree();  // the cluster does not hear
    if (pid != trainer_.pid) continue;
    status_ = status;
    ended_ = steady_clock::now();
  }
  // What the main process leaves behind (data loaders, servers) is asked to end as a stopped tree is.
  if (status_ && !tree_is_empty_ && phase_ == Phase::kRunning) end_tree(launch_.grace);
}

void Supervisor::keep_time() {
  const SteadyTime now = steady_clock::now();
  output_.flush(true);
  if (!output_.failure().empty() && record_.failure.empty()) {
    record_.failure = output_.failure();
    end_tree(launch_.grace);
  }
  if (launch_.time_limit && phase_ == Phase::kRunning && now >= started_ + *launch_.time_limit)
    stop(launch_.grace, to_string(StopReason::kTimeout));
  keep_silences(now);
  if (seat_) keep_seat(now);
  if (phase_ == Phase::kTerminating && now >= kill_at_) phase_ = Phase::kKilling;
  if (phase_ == Phase::kKilling && !tree_is_empty_) {
    signal_tree(SIGKILL);
    reap();
  }
  announce_metrics(now);
}

void Supervisor::keep_seat(SteadyTime now) {
  seat_->beat(now);
  if (seat_->end() && now >= *seat_->end() && phase_ == Phase::kRunning)
    stop(launch_.grace, to_string(StopReason::kJobTime));
  if (const auto word = seat_->look(now)) stop(word->grace, word->reason);
}

Milliseconds Supervisor::verdict_time() const {
  const bool ended_well = status_ && WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0;
  // The processes that srun has started on several nodes have the signal before those of the job's script.
  const bool is_of_srun = launch_.job && launch_.job->nodes > 1;
  return ended_well && !is_of_srun ? kQuickVerdict : kVerdict;
}

// A cluster that ends a job signals its processes one by one, and the trainer may be gone before this process
// has heard of it. So it is asked whether a signal came at the same time.
void Supervisor::wait_for_verdict() {
  pollfd signals{signals_, POLLIN, 0};
  const SteadyTime until = ended_ + verdict_time();
  for (SteadyTime now = steady_clock::now(); now < until; now = steady_clock::now()) {
    const auto left = std::chrono::ceil<Milliseconds>(until - now).count();
    if (::poll(&signals, 1, static_cast<int>(left)) != 1) continue;
    signalfd_siginfo info;
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
      if (info.ssi_signo != static_cast<std::uint32_t>(SIGCHLD)) {
        record_.stop_text = to_string(StopReason::kTerminated);
        return;
      }
  }
}

void Supervisor::announce_metrics(SteadyTime now) {
  if (control_ < 0 || output_.metrics_bytes() == announced_bytes_) return;
  if (!wake_at_) wake_at_ = now + kWakeDelay;
  if (now < *wake_at_) return;
  tell(kSaysMetrics, now);
  announced_bytes_ = output_.metrics_bytes();
  wake_at_.reset();
}

// A socket that is full holds enough to read already.
void Supervisor::tell(char what, SteadyTime now) {
  static_cast<void>(::send(control_, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL));
  last_told_ = now;
}

void Supervisor::keep_silences(SteadyTime now) {
  const SteadyTime::duration turn = now - std::exchange(last_turn_, now);
  if (output_.metrics() != heard_metrics_) metric_silence_.heard(now);
  heard_metrics_ = output_.metrics();
  // The trainer may have printed while nobody listened: the supervisor was stopped, or the disk is full.
  if (turn > 2 * kHeartbeat || output_.is_pending()) {
    output_silence_.excuse(turn);
    metric_silence_.excuse(turn);
  }
  if (phase_ != Phase::kRunning) return;
  if (output_silence_.is_over(now))
    return end_silent(output_silence_, StopReason::kNoOutput, "nothing was printed");
  if (metric_silence_.is_over(now))
    return end_silent(metric_silence_, StopReason::kNoMetric, "no metric came");
  if (output_silence_.takes_notice(now) && control_ >= 0) tell(kSaysQuiet, now);
  if (metric_silence_.takes_notice(now) && control_ >= 0) tell(kSaysNoMetric, now);
}

void Supervisor::end_silent(const Silence& silence, StopReason reason, const char* what) {
  // Before they are told to end: what they wait for is the only trace of why they hang.
  const std::string states = states_of(descendants_of(::getpid(), all_processes()));
  stop(launch_.grace, to_string(reason));
  // It may have ended by itself in this very moment.
  if (record_.stop_text == to_string(reason))
    record_.failure = std::string(what) + " for " + format_duration(silence.limit().value()) +
                      "; its processes were: " + states;
}

void Supervisor::stop(Milliseconds grace, const std::string& reason) {
  // A main process that ended by itself before the stop was not stopped.
  if (!status_) reap();
  if (!status_ && record_.stop_text.empty()) record_.stop_text = reason;
  asked_ = reason;
  end_tree(grace);
}

void Supervisor::end_tree(Milliseconds grace) {
  const SteadyTime kill_at = steady_clock::now() + grace;
  if (phase_ == Phase::kKilling) return;
  if (phase_ == Phase::kTerminating) {
    kill_at_ = std::min(kill_at_, kill_at);
    return;
  }
  phase_ = Phase::kTerminating;
  kill_at_ = kill_at;
  if (grace == Milliseconds(0)) return;
  if (seat_ && !status_) asker_ = seat_->ask_nodes();
  if (asker_ == 0) ask_tree();
}

void Supervisor::ask_tree() {
  signal_tree(SIGTERM);
  signal_tree(SIGCONT);  // a stopped process sees the first only then
}

void Supervisor::signal_tree(int signal) {
  const pid_t own_group = ::getpgrp();
  // A group is signalled as one, since a process that forks faster than it is looked up would slip through.
  std::set<pid_t> groups;
  for (const ProcessInfo& process : descendants_of(::getpid(), all_processes())) {
    if (process.state == 'Z') continue;
    const bool leads = process.group == process.pid;
    if (process.group != own_group && process.group > 1 && (leads || process.group == trainer_.pid)) {
      if (groups.insert(process.group).second) ::kill(-process.group, signal);
    } else if (!groups.contains(process.group)) {
      signal_process(process.pid, process.start_time, signal);
    }
  }
}

void Supervisor::drain_pipes() {
  for (const Stream stream : {Stream::kOut, Stream::kErr}) {
    int& pipe = stream == Stream::kOut ? trainer_.out : trainer_.err;
    // Not until the end of the pipe: a process outside the tree may have been given its other end.
    for (std::size_t drained = 0; pipe >= 0 && drained < kDrainLimit; drained += kChunk) {
      pollfd readable{pipe, POLLIN, 0};
      if (::poll(&readable, 1, 0) != 1) break;
      on_output(stream);
      write_pending();
    }
  }
  // The last line of a process that was killed may be cut anywhere: of "loss=12.5" the "loss=1" would count.
  if (status_ && WIFEXITED(*status_)) output_.take_end();
  write_pending();
}

// A full disk is waited for as long as nobody wants the attempt to end: its pipe holds the trainer back.
bool Supervisor::may_wait() const {
  return phase_ == Phase::kRunning || (phase_ == Phase::kTerminating && steady_clock::now() < kill_at_);
}

void Supervisor::write_pending() {
  while (output_.is_pending()) {
    const bool waits = may_wait();
    output_.flush(waits);
    // What the disk has not taken is lost, so the attempt has not ended by itself, even if its main process
    // has.
    if (!waits && !output_.failure().empty() && record_.stop_text.empty()) record_.stop_text = asked_;
    if (output_.is_pending()) wait_for_something();
  }
}

bool Supervisor::finish() {
  output_.finish_log();
  if (record_.failure.empty()) record_.failure = output_.failure();
  if (status_ && WIFEXITED(*status_)) record_.exit_code = WEXITSTATUS(*status_);
  if (status_ && WIFSIGNALED(*status_)) record_.signal = WTERMSIG(*status_);
  if (!status_) record_.exit_code = 127;
  const bool ended_well = status_ && WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0;
  record_.out_of_memory = !ended_well && oom_kills() > oom_kills_before_;
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  record_.wall_seconds = std::chrono::duration<double>(steady_clock::now() - started_).count();
  record_.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  record_.max_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  record_.cut_lines = output_.cut_lines();
  record_.metrics = output_.metrics();
  return write_exit();
}

bool Supervisor::write_exit() {
  int reason = exit_file_->write(record_);
  for (exit_is_blocked_ = true; is_disk_full(reason) && may_wait(); reason = exit_file_->write(record_))
    wait_for_something();
  if (reason == 0) return true;
  std::fprintf(stderr, "tune-supervisor: cannot write %s in \"%s\": %s\n", kExitFile, launch_.folder.c_str(),
               std::strerror(reason));
  return false;
}

}  // namespace tune::supervisor
