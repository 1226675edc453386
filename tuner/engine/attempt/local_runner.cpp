#include "tuner/engine/attempt/local_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <deque>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/engine/attempt/attempt_launch.h"
#include "tuner/engine/attempt/orphaned_tree.h"
#include "tuner/engine/attempt/supervisor_process.h"
#include "tuner/engine/devices/device_pool.h"
#include "tuner/os/process.h"

namespace tune::engine {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// From the order to kill all to the death of a supervisor that does not answer.
constexpr Milliseconds kKillGrace{3'000};
constexpr Milliseconds kOrphanInterval{10};
constexpr Milliseconds kCapacityInterval{500};
// What a training holds of a GPU's memory hardly shrinks: allocators keep it. So it is enough to look now and
// then.
constexpr Milliseconds kMemoryInterval{500};

struct RunningAttempt {
  RunningAttempt(asio::io_context& context, AttemptId attempt_id, std::string attempt_token)
      : id(attempt_id), token(std::move(attempt_token)), channel(context), timer(context) {}
  AttemptId id;
  std::string token;
  pid_t pid = -1;
  std::uint64_t start_time = 0;
  bool is_attached = false;  // not our child: `channel` is its pidfd
  asio::posix::stream_descriptor channel;
  asio::steady_timer timer;  // orphans are looked for; before that, the patience with a stuck supervisor
  std::optional<DeviceShare> share;  // absent when attached
  std::optional<OrphanedTree> orphans;
};

}  // namespace

struct LocalRunner::Impl {
  explicit Impl(const LocalRunnerOptions& options);
  ~Impl();

  void watch(RunningAttempt& attempt);
  void watch_wakes();
  void watch_capacity();
  void watch_memory();
  void measure_memory();
  void on_channel(AttemptId id);
  void on_supervisor_gone(RunningAttempt& attempt);
  void end_orphans(RunningAttempt& attempt);
  void kill_supervisor_after(Milliseconds patience, RunningAttempt& attempt);
  void end_stuck_supervisor(Milliseconds grace, RunningAttempt& attempt);
  bool ended_with_its_tree(pid_t process) const;
  void finish(AttemptId id);
  void push(RunnerEventKind kind, AttemptId id, MemoryUse memory = {});
  RunningAttempt* find(AttemptId id);

  const std::filesystem::path program;  // tune-supervisor
  DevicePool pool;
  const Milliseconds supervisor_grace;
  asio::io_context context{1};
  int wake_descriptor = -1;
  asio::posix::stream_descriptor wakes{context};
  asio::steady_timer capacity_timer{context};
  bool watches_capacity = false;
  asio::steady_timer memory_timer{context};
  bool watches_memory = false;
  std::map<AttemptId, std::unique_ptr<RunningAttempt>> attempts;
  std::deque<RunnerEvent> events;
};

LocalRunner::Impl::Impl(const LocalRunnerOptions& options)
    : program(options.supervisor.empty() ? find_supervisor() : options.supervisor),
      pool(options.parallel, options.resources),
      supervisor_grace(options.supervisor_grace) {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    throw Error(ExitCode::kEnvironment, std::string("cannot become a sub-reaper: ") + std::strerror(errno),
                "Linux 3.4 or newer is needed");
  // With an inherited SIG_IGN children would vanish before they are waited for.
  ::signal(SIGCHLD, SIG_DFL);
  wake_descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_descriptor < 0)
    throw Error(ExitCode::kEnvironment, std::string("cannot open an eventfd: ") + std::strerror(errno));
  wakes.assign(wake_descriptor);
  watch_wakes();
}

LocalRunner::Impl::~Impl() {
  // End-of-file on its channel makes a supervisor kill its tree.
  for (auto& [id, attempt] : attempts) attempt->channel.close();
  for (auto& [id, attempt] : attempts) {
    if (attempt->is_attached) continue;
    if (!attempt->orphans && ended_with_its_tree(attempt->pid)) continue;
    if (!attempt->orphans) attempt->orphans.emplace(attempt->token, attempt->pid);
    while (!attempt->orphans->end()) ::usleep(1000);
  }
}

// Reaps a supervisor whose channel is closed, and kills one that does not end: it hangs. Whether it reported
// that nothing of its tree is left.
bool LocalRunner::Impl::ended_with_its_tree(pid_t process) const {
  ::kill(process, SIGCONT);  // a stopped one does not see its channel
  const auto deadline = std::chrono::steady_clock::now() + supervisor_grace;
  int status = 0;
  while (::waitpid(process, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) ::kill(process, SIGKILL);
    ::usleep(1000);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

RunningAttempt* LocalRunner::Impl::find(AttemptId id) {
  const auto found = attempts.find(id);
  return found == attempts.end() ? nullptr : found->second.get();
}

void LocalRunner::Impl::push(RunnerEventKind kind, AttemptId id, MemoryUse memory) {
  const auto is_same = [&](const RunnerEvent& event) { return event.kind == kind && event.id == id; };
  // One is as good as many until it is read.
  if (std::none_of(events.begin(), events.end(), is_same)) events.push_back({kind, id, memory});
}

void LocalRunner::Impl::watch_wakes() {
  wakes.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
    if (error) return;
    std::uint64_t count = 0;
    static_cast<void>(::read(wake_descriptor, &count, sizeof count) == 0);
    push(RunnerEventKind::kWoken, {});
    watch_wakes();
  });
}

// Leases that others give back and GPUs that recover make no event of their own.
void LocalRunner::Impl::watch_capacity() {
  if (watches_capacity || !pool.waits_for_others()) return;
  watches_capacity = true;
  capacity_timer.expires_after(kCapacityInterval);
  capacity_timer.async_wait([this](const error_code& error) {
    watches_capacity = false;
    if (error) return;
    // The engine asks again, and sees the notices then.
    push(RunnerEventKind::kWoken, {});
  });
}

// While anything runs on a GPU.
void LocalRunner::Impl::watch_memory() {
  if (watches_memory || !pool.uses_gpus() || attempts.empty()) return;
  watches_memory = true;
  memory_timer.expires_after(kMemoryInterval);
  memory_timer.async_wait([this](const error_code& error) {
    watches_memory = false;
    if (error) return;
    measure_memory();
    watch_memory();
  });
}

void LocalRunner::Impl::measure_memory() {
  std::vector<Occupant> occupants;
  for (auto& [id, attempt] : attempts)
    if (attempt->share) occupants.push_back({attempt->pid, &*attempt->share});
  pool.measure(occupants);
}

void LocalRunner::Impl::watch(RunningAttempt& attempt) {
  attempt.channel.async_wait(asio::posix::stream_descriptor::wait_read,
                             [this, id = attempt.id](const error_code& error) {
                               if (!error) on_channel(id);
                             });
}

void LocalRunner::Impl::on_channel(AttemptId id) {
  RunningAttempt* attempt = find(id);
  if (!attempt) return;
  if (attempt->is_attached) return on_supervisor_gone(*attempt);
  std::array<char, 256> bytes;
  const ssize_t got = ::recv(attempt->channel.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return on_supervisor_gone(*attempt);
  for (const char said : std::string_view(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0))
    push(said == kSaysMetrics    ? RunnerEventKind::kProgress
         : said == kSaysQuiet    ? RunnerEventKind::kQuiet
         : said == kSaysNoMetric ? RunnerEventKind::kNoMetric
                                 : RunnerEventKind::kAlive,
         id);
  watch(*attempt);
}

void LocalRunner::Impl::on_supervisor_gone(RunningAttempt& attempt) {
  attempt.channel.close();
  attempt.timer.cancel();
  if (!attempt.is_attached) {
    int status = 0;
    pid_t reaped = 0;
    do reaped = ::waitpid(attempt.pid, &status, 0);
    while (reaped < 0 && errno == EINTR);
    // It ends with 0 only when its whole tree is gone.
    if (reaped == attempt.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0) return finish(attempt.id);
  }
  attempt.orphans.emplace(attempt.token, attempt.is_attached ? -1 : attempt.pid);
  end_orphans(attempt);
}

void LocalRunner::Impl::end_orphans(RunningAttempt& attempt) {
  if (attempt.orphans->end()) return finish(attempt.id);
  attempt.timer.expires_after(kOrphanInterval);
  attempt.timer.async_wait([this, id = attempt.id](const error_code& error) {
    RunningAttempt* found = error ? nullptr : find(id);
    if (found) end_orphans(*found);
  });
}

// This takes the place of an earlier patience. A supervisor that was stopped (SIGSTOP) or hangs cannot
// enforce a limit by itself.
void LocalRunner::Impl::kill_supervisor_after(Milliseconds patience, RunningAttempt& attempt) {
  attempt.timer.expires_after(patience);
  attempt.timer.async_wait([this, id = attempt.id](const error_code& error) {
    const RunningAttempt* stuck = error ? nullptr : find(id);
    if (stuck && !stuck->orphans) signal_process(stuck->pid, stuck->start_time, SIGKILL);
  });
}

// One that works still, on a slow disk, would take the record of its attempt along.
void LocalRunner::Impl::end_stuck_supervisor(Milliseconds grace, RunningAttempt& attempt) {
  const Milliseconds patience = supervisor_grace / 3;
  attempt.timer.expires_after(grace + patience);
  attempt.timer.async_wait([this, patience, id = attempt.id](const error_code& error) {
    RunningAttempt* stuck = error ? nullptr : find(id);
    if (!stuck || stuck->orphans) return;
    const auto supervisor = process_info(stuck->pid);
    const bool is_stopped = supervisor && (supervisor->state == 'T' || supervisor->state == 't');
    kill_supervisor_after(is_stopped ? Milliseconds(0) : supervisor_grace - patience, *stuck);
  });
}

void LocalRunner::Impl::finish(AttemptId id) {
  const auto found = attempts.find(id);
  MemoryUse memory;
  if (auto& share = found->second->share) {
    memory = pool.memory_use(*share);
    pool.give_back(std::move(*share));
  }
  attempts.erase(found);
  push(RunnerEventKind::kExited, id, memory);
}

LocalRunner::LocalRunner(const LocalRunnerOptions& options) : impl_(std::make_unique<Impl>(options)) {}
LocalRunner::~LocalRunner() = default;

AttemptRecord LocalRunner::start(const Attempt& attempt) {
  TUNE_CHECK(!impl_->find(attempt.id), "the attempt runs already");
  auto share = impl_->pool.take(attempt.memory);
  if (!share)
    throw Error(ExitCode::kConflict, "no slot is free for trial " + std::to_string(attempt.id.trial),
                "another process has taken it");
  auto running = std::make_unique<RunningAttempt>(impl_->context, attempt.id, attempt.token);
  try {
    Channel channel = open_channel();
    const std::filesystem::path launch_file = write_launch_files(attempt, *share, channel.theirs.get());
    std::vector<int> descriptors{channel.theirs.get()};
    for (const Lease& lease : share->leases) descriptors.push_back(lease.descriptor());
    std::map<std::string, std::string> environment = attempt.secret_environment;
    environment[kTokenVariable] = attempt.token;
    const SupervisorProcess process = start_supervisor(impl_->program, launch_file, descriptors, environment);
    running->pid = process.pid;
    running->start_time = process.start_time;
    running->channel.assign(channel.ours.release());
  } catch (...) {
    impl_->pool.give_back(std::move(*share));
    throw;
  }
  AttemptRecord record;
  record.id = attempt.id;
  record.token = attempt.token;
  record.folder = attempt.folder;
  record.supervisor_pid = running->pid;
  record.supervisor_start_time = running->start_time;
  static const std::string kBootId = boot_id();
  record.boot_id = kBootId;
  record.devices = share->devices;
  record.threads = share->threads;
  record.heartbeat = kHeartbeat;
  record.notice = share->unpinned;
  running->share = std::move(share);
  impl_->watch(*running);
  if (attempt.time_limit)
    impl_->kill_supervisor_after(*attempt.time_limit + attempt.grace + impl_->supervisor_grace, *running);
  impl_->attempts.emplace(attempt.id, std::move(running));
  impl_->watch_memory();
  return record;
}

bool LocalRunner::attach(const AttemptRecord& record) {
  TUNE_CHECK(!impl_->find(record.id), "the attempt runs already");
  if (record.boot_id != boot_id()) return false;
  const auto pid = static_cast<pid_t>(record.supervisor_pid);
  const int descriptor = pid > 0 ? open_process(pid, record.supervisor_start_time) : -1;
  auto running = std::make_unique<RunningAttempt>(impl_->context, record.id, record.token);
  running->pid = pid;
  running->start_time = record.supervisor_start_time;
  running->is_attached = true;
  RunningAttempt& attempt = *running;
  if (descriptor >= 0) {
    attempt.channel.assign(descriptor);
    impl_->watch(attempt);
    // It ends its tree once it sees that its orchestrator has died, which it cannot while it is stopped.
    signal_process(pid, record.supervisor_start_time, SIGCONT);
    impl_->kill_supervisor_after(impl_->supervisor_grace, attempt);
    impl_->attempts.emplace(record.id, std::move(running));
    return true;
  }
  // Its supervisor was killed too, or it died between being started and being recorded: what carries its
  // token is ended.
  attempt.orphans.emplace(record.token, -1);
  if (attempt.orphans->end()) return false;
  impl_->attempts.emplace(record.id, std::move(running));
  impl_->end_orphans(attempt);
  return true;
}

Capacity LocalRunner::capacity() { return impl_->pool.capacity(); }
bool LocalRunner::has_room(std::optional<std::uint64_t> memory) { return impl_->pool.has_room(memory); }
void LocalRunner::set_parallel(int parallel) { impl_->pool.set_parallel(parallel); }

std::vector<std::string> LocalRunner::lost_devices(const std::vector<std::string>& devices) {
  return impl_->pool.lost(devices);
}

RunnerEvent LocalRunner::wait(SteadyTime deadline) {
  while (impl_->events.empty()) {
    impl_->watch_capacity();
    impl_->context.restart();
    if (impl_->context.poll() > 0) continue;
    if (impl_->context.run_one_until(deadline) == 0 && std::chrono::steady_clock::now() >= deadline)
      return {RunnerEventKind::kDeadline, {}};
  }
  const RunnerEvent event = impl_->events.front();
  impl_->events.pop_front();
  return event;
}

void LocalRunner::stop(AttemptId id, Milliseconds grace, StopReason reason) {
  RunningAttempt* attempt = impl_->find(id);
  if (!attempt || attempt->orphans) return;
  if (attempt->is_attached) {
    // Without a channel: the supervisor takes SIGTERM for a stop with its own grace.
    signal_process(attempt->pid, attempt->start_time, grace > Milliseconds(0) ? SIGTERM : SIGKILL);
  } else {
    const std::string command = "stop " + std::to_string(grace.count()) + " " + to_string(reason) + "\n";
    static_cast<void>(::send(attempt->channel.native_handle(), command.data(), command.size(),
                             MSG_DONTWAIT | MSG_NOSIGNAL));
  }
  // One that was stopped ends its tree, and writes down how it went, once it goes on.
  signal_process(attempt->pid, attempt->start_time, SIGCONT);
  if (grace > Milliseconds(0)) return impl_->end_stuck_supervisor(grace, *attempt);
  // Somebody who interrupts twice does not wait for a supervisor that hangs.
  impl_->kill_supervisor_after(std::min(kKillGrace, impl_->supervisor_grace), *attempt);
}

void LocalRunner::wake() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(impl_->wake_descriptor, &one, sizeof one) == 0);
}

}  // namespace tune::engine
