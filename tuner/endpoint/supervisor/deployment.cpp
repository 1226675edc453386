#include "tuner/endpoint/supervisor/deployment.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/endpoint/supervisor/endpoint_supervisor.h"
#include "tuner/os/file_lock.h"
#include "tuner/os/held_locks.h"
#include "tuner/os/pipe.h"
#include "tuner/os/process.h"

namespace tune::endpoint {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kEndLimit{40'000};  // of a supervisor: its worker's grace, and the disk
constexpr int kLookMs = 50;

// Takes the signals that undeploy out of the process's mask, for a descriptor that gives them.
class SignalDescriptor {
 public:
  explicit SignalDescriptor(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    descriptor_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~SignalDescriptor() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalDescriptor(const SignalDescriptor&) = delete;
  SignalDescriptor& operator=(const SignalDescriptor&) = delete;
  int get() const { return descriptor_.get(); }

 private:
  sigset_t before_{};
  Descriptor descriptor_;
};

// Whoever reads to the end of what this process was given would wait as long as the endpoint is deployed.
void close_all_but(int kept) {
  std::vector<int> open;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
    open.push_back(std::atoi(entry.path().filename().c_str()));
  for (const int each : open)
    if (each > STDERR_FILENO && each != kept) ::close(each);
}

void send_line(int to, const Json& message) {
  const std::string line = message.dump() + '\n';
  static_cast<void>(::write(to, line.data(), line.size()) == 0);  // a reader that is gone shows elsewhere
}

// The life of the process that deploy_detached() leaves behind. `audience` is the pipe to whoever waits.
int supervise_detached(const Endpoint& endpoint, const fs::path& store, Descriptor& audience) {
  const auto tell_error = [&](ExitCode code, const std::string& message, const std::string& hint) {
    if (audience.get() >= 0)
      send_line(audience.get(),
                {{"error", {{"code", static_cast<int>(code)}, {"message", message}, {"hint", hint}}}});
    return static_cast<int>(code);
  };
  try {
    const SystemClock clock;
    const SignalDescriptor signals{SIGINT, SIGTERM};
    SupervisorSettings settings{store, clock, signals.get(), audience.get(), true, {}};
    settings.on_state = [&](const EndpointState& state) {
      if (audience.get() < 0) return;
      send_line(audience.get(), {{"state", state_json(state)}});
      if (state.state == State::kDeployed) audience.close();
    };
    EndpointSupervisor(endpoint, std::move(settings)).run();
    return 0;
  } catch (const Error& error) {
    return tell_error(error.code(), error.what(), error.hint());
  } catch (const std::exception& problem) {
    return tell_error(ExitCode::kInternal, problem.what(), "");
  }
}

[[noreturn]] void become_supervisor(const Endpoint& endpoint, const fs::path& store, Descriptor audience) {
  ::setsid();
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, stream);
  if (::chdir("/") != 0) ::_exit(static_cast<int>(ExitCode::kEnvironment));
  // At once: what the command that was forked would do at its exit is not this process's.
  ::_exit(supervise_detached(endpoint, store, audience));
}

// Reads lines of JSON until the pipe's end.
class Audience {
 public:
  explicit Audience(Descriptor pipe) : pipe_(std::move(pipe)) {}
  std::optional<Json> next() {
    for (std::array<char, 4096> buffer{};;) {
      if (const std::size_t end = text_.find('\n'); end != std::string::npos) {
        Json message = Json::parse(text_.substr(0, end));
        text_.erase(0, end + 1);
        return message;
      }
      const ssize_t got = ::read(pipe_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      text_.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  Descriptor pipe_;
  std::string text_;
};

// The supervisor of an endpoint, which holds its lock, though its state may be unreadable; nullopt where none
// lives.
std::optional<ProcessInfo> supervisor_of(const ListedEndpoint& endpoint) {
  if (endpoint.problem.empty()) {
    if (endpoint.state.state == State::kNotDeployed) return std::nullopt;
    ProcessInfo supervisor;
    supervisor.pid = endpoint.state.pid;
    supervisor.start_time = endpoint.state.start_time;
    return supervisor;
  }
  for (const HeldLock& lock : locks_on(endpoint.folder / kLockFile))
    if (lock.kind == "FLOCK" && lock.pid > 0) return process_info(lock.pid);
  return std::nullopt;
}

}  // namespace

void serve_here(const Endpoint& endpoint, const fs::path& store, const OnState& on_state) {
  const SystemClock clock;
  const SignalDescriptor signals{SIGINT, SIGTERM, SIGHUP};
  EndpointSupervisor(endpoint, {store, clock, signals.get(), -1, false, on_state}).run();
}

EndpointState deploy_detached(const Endpoint& endpoint, const fs::path& store, const OnState& on_state) {
  auto [read, write] = make_pipe();
  const pid_t child = ::fork();
  if (child < 0)
    throw Error(ExitCode::kEnvironment, std::string("cannot start a supervisor: ") + std::strerror(errno));
  if (child == 0) {
    read.close();
    close_all_but(write.get());
    become_supervisor(endpoint, store, std::move(write));
  }
  write.close();
  Audience audience(std::move(read));
  while (const std::optional<Json> message = audience.next()) {
    if (message->contains("error")) {
      const Json& error = (*message)["error"];
      while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
      }
      throw Error(ExitCode{error.at("code").get<int>()}, error.at("message").get<std::string>(),
                  error.at("hint").get<std::string>());
    }
    const EndpointState state = state_from_json(message->at("state"), endpoint_folder(store, endpoint.name));
    if (on_state) on_state(state);
    if (state.state == State::kDeployed) return state;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  throw Error(ExitCode::kEnvironment, "the supervisor of " + endpoint.name + " " + ending_text(status),
              "its log is " + (endpoint_folder(store, endpoint.name) / kLogFile).string());
}

bool undeploy(const fs::path& store, const std::string& name, const OnState& on_wait) {
  const std::optional<ProcessInfo> supervisor = supervisor_of(find_endpoint(store, name));
  if (!supervisor) return false;
  const Descriptor process(open_process(supervisor->pid, supervisor->start_time));
  if (process.get() < 0) return false;
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGTERM, nullptr, 0) != 0 && errno != ESRCH)
    throw Error(ExitCode::kEnvironment,
                "process " + std::to_string(supervisor->pid) + ", which supervises " + name +
                    ", cannot be asked to end: " + std::strerror(errno),
                "it is another user's: let that one undeploy it");
  bool is_told = false;
  for (Milliseconds waited{0}; waited < kEndLimit; waited += Milliseconds(kLookMs)) {
    pollfd ended{process.get(), POLLIN, 0};
    if (::poll(&ended, 1, kLookMs) > 0) return true;
    if (is_told || !on_wait) continue;
    const EndpointState now = find_endpoint(store, name).state;
    is_told = now.state == State::kStopping;
    if (is_told) on_wait(now);
  }
  throw Error(ExitCode::kEnvironment,
              "process " + std::to_string(supervisor->pid) + ", which supervises " + name + ", does not end",
              "the log is " + (endpoint_folder(store, name) / kLogFile).string());
}

void remove_endpoint(const fs::path& store, const std::string& name) {
  const ListedEndpoint endpoint = find_endpoint(store, name);
  std::string holder;
  const std::optional<FileLock> lock = FileLock::try_once(endpoint.folder / kLockFile, holder);
  if (!lock)
    throw Error(ExitCode::kConflict, name + " is deployed by process " + holder,
                "`tune undeploy " + name + " --delete` ends it first");
  std::error_code problem;
  fs::remove_all(endpoint.folder, problem);
  if (problem)
    throw Error(ExitCode::kEnvironment,
                "cannot remove " + endpoint.folder.string() + ": " + problem.message());
}

}  // namespace tune::endpoint
