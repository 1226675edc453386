#include "tuner/endpoint/supervisor/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "tuner/core/bounded_json.h"
#include "tuner/core/error.h"
#include "tuner/os/environment.h"
#include "tuner/os/pipe.h"
#include "tuner/os/process.h"

namespace tune::endpoint {
namespace {

constexpr std::size_t kLongestLine = 1 << 20;  // of its messages; none of them has a kilobyte
constexpr std::size_t kMostAtOnce = 1 << 20;   // taken of a stream before anything else is looked at

// Made before the fork: after it nothing may be allocated, as another thread may hold the heap's lock.
struct Plan {
  explicit Plan(const WorkerLaunch& launch)
      : working_directory(launch.working_directory.string()),
        environment({{kEndpointVariable, launch.endpoint.string()}}) {
    for (const std::string& argument : launch.argv) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
  }
  std::string working_directory;
  Environment environment;
  std::vector<char*> argv;
};

// Returns where something failed, with errno set.
void become(const WorkerLaunch& launch, const Plan& plan, pid_t parent, int in, int out, int err) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  if (::getppid() != parent) ::_exit(0);  // it died in between
  if (::setpgid(0, 0) != 0) return;
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (launch.memory_bytes) {
    const rlimit limit{*launch.memory_bytes, *launch.memory_bytes};
    if (::setrlimit(RLIMIT_DATA, &limit) != 0) return;
  }
  if (::dup2(in, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0 || ::dup2(err, STDERR_FILENO) < 0)
    return;
  if (launch.listening >= 0 && ::fcntl(launch.listening, F_SETFD, 0) != 0) return;
  if (::chdir(plan.working_directory.c_str()) != 0) return;
  ::execvpe(plan.argv[0], plan.argv.data(), plan.environment.pointers());
}

// Appends what is there now.
void take(Descriptor& stream, std::string& text) {
  std::array<char, 16384> buffer{};
  for (std::size_t taken = 0; stream.get() >= 0 && taken < kMostAtOnce;) {
    const ssize_t got = ::read(stream.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) {
      stream.close();
      return;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
    taken += static_cast<std::size_t>(got);
  }
}

}  // namespace

Worker::Worker(const WorkerLaunch& launch) {
  Pipe in = make_pipe(), out = make_pipe(), err = make_pipe(), trouble = make_pipe();
  const Plan plan(launch);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  int reason = pid_ < 0 ? errno : 0;
  if (pid_ == 0) {
    become(launch, plan, parent, in.read.get(), out.write.get(), err.write.get());
    reason = errno;
    static_cast<void>(::write(trouble.write.get(), &reason, sizeof reason) == 0);
    ::_exit(127);
  }
  trouble.write.close();  // the child's copy goes when it executes the program
  if (pid_ > 0) {
    ssize_t got = 0;
    do got = ::read(trouble.read.get(), &reason, sizeof reason);
    while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(sizeof reason)) reason = 0;
  }
  if (reason != 0) {
    while (pid_ > 0 && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    throw Error(ExitCode::kEnvironment, "cannot start \"" + launch.argv[0] + "\": " + std::strerror(reason));
  }
  process_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  in_ = std::move(in.write);
  out_ = std::move(out.read);
  err_ = std::move(err.read);
  for (const Descriptor* each : {&in_, &out_, &err_})
    static_cast<void>(::fcntl(each->get(), F_SETFL, O_NONBLOCK));
}

Worker::~Worker() {
  kill();
  siginfo_t ended{};
  while (pid_ > 0 && !status_ && ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  static_cast<void>(status());
}

bool Worker::send(const Json& message) {
  const std::string line = message.dump() + '\n';
  // All of it or nothing: a pipe takes no part of what is shorter than PIPE_BUF, and longer lines would be
  // cut only where it reads nothing.
  ssize_t written = -1;
  do written = in_.get() < 0 ? 0 : ::write(in_.get(), line.data(), line.size());
  while (written < 0 && errno == EINTR);
  return written == static_cast<ssize_t>(line.size());
}

std::vector<Json> Worker::read_messages(std::string& log) {
  std::vector<Json> messages;
  take(out_, unfinished_);
  for (std::size_t end; (end = unfinished_.find('\n')) != std::string::npos; unfinished_.erase(0, end + 1)) {
    const std::string line = unfinished_.substr(0, end);
    BoundedJson parsed = parse_bounded_json(line);
    if (parsed.problem.empty() && parsed.value.is_object())
      messages.push_back(std::move(parsed.value));
    else
      log += line + '\n';
  }
  if (unfinished_.size() > kLongestLine) log += std::exchange(unfinished_, {}) + '\n';
  return messages;
}

std::string Worker::read_errors() {
  std::string text;
  take(err_, text);
  return text;
}

void Worker::ask_to_end() {
  in_.close();
  if (pid_ > 0 && !status()) ::kill(pid_, SIGTERM);
}

void Worker::kill() {
  if (pid_ > 0 && !status_) ::kill(-pid_, SIGKILL);
}

std::optional<int> Worker::status() {
  siginfo_t ended{};
  if (pid_ < 0 || status_ ||
      ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      ended.si_pid != pid_)
    return status_;
  // What it has started, in its group, while its number is still its own.
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  return status_ = status;
}

void end_remains(const std::filesystem::path& endpoint) {
  constexpr int kMostLooks = 200;
  constexpr std::chrono::milliseconds kBetweenLooks{10};
  for (int look = 0; look < kMostLooks; ++look) {
    bool any = false;
    for (const ProcessInfo& process : all_processes()) {
      const bool is_left = process.pid != ::getpid() && process.state != 'Z' && process.state != 'X' &&
                           environment_value(process.pid, kEndpointVariable) == endpoint.string();
      any = any || is_left;
      if (is_left) signal_process(process.pid, process.start_time, SIGKILL);
    }
    if (!any) return;
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

std::string ending_text(int status) {
  if (WIFSIGNALED(status))
    return "was ended by signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) +
           ")";
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace tune::endpoint
