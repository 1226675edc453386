#include "tuner/cli/detached_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <string>

#include "tuner/os/pipe.h"
#include "tuner/os/regular_file.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what, int reason) {
  throw Error(ExitCode::kEnvironment, what + ": " + std::strerror(reason));
}

// The new process's part of leaving: after it nothing is the terminal's any more.
void leave_terminal(Console& console, const fs::path& log, int begun) {
  console.out.flush();
  console.err.flush();
  const Descriptor file(open_regular_file_to_append(log));
  if (file.get() < 0) fail("cannot write " + log.string(), -file.get());
  const Descriptor nothing(open_retrying("/dev/null", O_RDONLY));
  if (nothing.get() < 0) fail("cannot open /dev/null", errno);
  if (::dup2(nothing.get(), STDIN_FILENO) < 0 || ::dup2(file.get(), STDOUT_FILENO) < 0 ||
      ::dup2(file.get(), STDERR_FILENO) < 0)
    fail("cannot write " + log.string(), errno);
  ::setsid();  // it leads no group of processes, so this cannot fail
  const std::string place = log.string();
  static_cast<void>(::write(begun, place.data(), place.size()) == 0);
}

// What the new process says when it has left; empty when it has ended instead.
std::string wait_for_begin(int begun) {
  std::string place;
  std::array<char, 4096> bytes{};
  while (true) {
    const ssize_t got = ::read(begun, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return place;
    place.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

// The other process hears the same Ctrl-C, and decides.
class SignalsLeftToOther {
 public:
  SignalsLeftToOther() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) before_[i] = ::signal(kSignals[i], SIG_IGN);
  }
  ~SignalsLeftToOther() { restore(); }
  SignalsLeftToOther(const SignalsLeftToOther&) = delete;
  SignalsLeftToOther& operator=(const SignalsLeftToOther&) = delete;
  void restore() const {
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::signal(kSignals[i], before_[i]);
  }

 private:
  static constexpr std::array<int, 2> kSignals{SIGINT, SIGQUIT};
  std::array<void (*)(int), 2> before_{};
};

}  // namespace

int run_detached(Console& console, const DetachedWork& work,
                 const std::function<void(int pid, const fs::path& log)>& begun) {
  Pipe pipe = make_pipe();
  console.out.flush();
  console.err.flush();
  const SignalsLeftToOther signals;
  const pid_t pid = ::fork();
  if (pid < 0) fail("cannot start a process", errno);
  if (pid == 0) {
    signals.restore();
    Console plain{console.out, console.err, false, false, false, console.width};
    const int code = work(plain, [&](const fs::path& log) {
      leave_terminal(plain, log, pipe.write.get());
      pipe.write.close();
    });
    console.out.flush();
    console.err.flush();
    ::_exit(code);  // what the other process has is its own to take down
  }
  pipe.write.close();
  if (const std::string log = wait_for_begin(pipe.read.get()); !log.empty()) {
    begun(pid, log);
    return 0;
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace tune::cli
