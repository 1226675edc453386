#include "tuner/supervisor/trainer_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "tuner/os/environment.h"

extern char** environ;

namespace tune::supervisor {
namespace {

enum class Step : int { kSetUp, kFolder, kExecute };
struct Failure {
  Step step = Step::kSetUp;
  int reason = 0;
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

void close_everything_on_exec() {
#ifdef SYS_close_range
  constexpr unsigned kCloseOnExec = 4;  // CLOSE_RANGE_CLOEXEC, Linux 5.11
  if (::syscall(SYS_close_range, 3u, ~0u, kCloseOnExec) == 0) return;
#endif
  for (int fd = 3; fd < static_cast<int>(::sysconf(_SC_OPEN_MAX)) && fd < 65536; ++fd)
    static_cast<void>(::fcntl(fd, F_SETFD, FD_CLOEXEC));
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the child, between vfork and exec. Returns only on failure. The child has descriptors, signals and a
// folder of its own, but borrows the supervisor's memory, which it must leave as it was.
Failure become_trainer(const Launch& launch, char** argv, int out, int err, pid_t parent) {
  ::setpgid(0, 0);
  // A second net below the runner's: the direct child dies at once with a supervisor that is killed.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  reset_signals();
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0)
    return {Step::kSetUp, errno};
  close_everything_on_exec();
  for (const int lease : launch.leases)
    if (::fcntl(lease, F_SETFD, 0) < 0) return {Step::kSetUp, errno};
  if (!launch.cpus.empty()) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    for (const int cpu : launch.cpus) CPU_SET(static_cast<std::size_t>(cpu), &cpus);
    // A core that has gone offline since is no reason to fail.
    static_cast<void>(::sched_setaffinity(0, sizeof cpus, &cpus));
  }
  if (!launch.working_directory.empty() && ::chdir(launch.working_directory.c_str()) != 0)
    return {Step::kFolder, errno};
  ::execvp(argv[0], argv);
  return {Step::kExecute, errno};
}

std::string describe(const Failure& failure, const Launch& launch) {
  const std::string reason = std::strerror(failure.reason);
  if (failure.step == Step::kFolder)
    return "cannot enter the working directory \"" + launch.working_directory.string() + "\": " + reason;
  if (failure.step == Step::kSetUp) return "cannot set up the trainer's process: " + reason;
  std::string text = "cannot start \"" + launch.argv[0] + "\": " + reason;
  const bool is_path = launch.argv[0].find('/') != std::string::npos;
  const std::filesystem::path path = launch.working_directory / launch.argv[0];
  std::error_code ignored;
  if (failure.reason == ENOENT && is_path && std::filesystem::exists(path, ignored))
    text += " (the file is there, but the interpreter that its first line names is not)";
  return text;
}

// The pid; -1 when there can be no process. Not fork(), which would copy the page tables of a process that is
// about to leave them: with short trials that is a tenth of the supervisor's work. Never inlined, so that the
// child, which runs first, changes no variable that a caller keeps in this frame.
[[gnu::noinline]] pid_t spawn(const Launch& launch, char** argv, int out, int err, Failure& failure) {
  const pid_t self = ::getpid(), pid = ::vfork();
  if (pid != 0) return pid;
  failure = become_trainer(launch, argv, out, err, self);
  ::_exit(127);
}

}  // namespace

TrainerProcess start_trainer(const Launch& launch) {
  TrainerProcess trainer;
  std::vector<std::string> arguments = launch.argv;
  const std::vector<char*> argv = pointers_to(arguments);
  const Environment environment(launch.environment);
  std::array<int, 2> out{-1, -1}, err{-1, -1};
  Failure failure;
  // execvp searches the trainer's PATH, not the supervisor's.
  char** const own_environment = std::exchange(environ, const_cast<char**>(environment.pointers()));
  if (::pipe2(out.data(), O_CLOEXEC) == 0 && ::pipe2(err.data(), O_CLOEXEC) == 0)
    trainer.pid = spawn(launch, const_cast<char**>(argv.data()), out[1], err[1], failure);
  if (trainer.pid < 0) failure.reason = errno;
  environ = own_environment;
  if (failure.reason != 0) {
    trainer.failure = describe(failure, launch);
    trainer.error = failure.reason;
  }
  if (trainer.pid < 0) return trainer;
  for (const int fd : {out[1], err[1]}) ::close(fd);
  trainer.out = out[0];
  trainer.err = err[0];
  for (const int fd : {trainer.out, trainer.err}) static_cast<void>(::fcntl(fd, F_SETFL, O_NONBLOCK));
  return trainer;
}

}  // namespace tune::supervisor
