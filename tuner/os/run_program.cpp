#include "tuner/os/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

#include "tuner/os/environment.h"
#include "tuner/os/pipe.h"

namespace tune {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kLook{20};         // signals, the clock and the end are looked for this often
constexpr Milliseconds kLookAtTheEnd{2};  // once it has closed its output
constexpr Milliseconds kGrace{10'000};    // from SIGTERM to SIGKILL

[[noreturn]] void fail_with(const std::string& what, int reason) {
  throw Error(ExitCode::kEnvironment, what + ": " + std::strerror(reason));
}

// Everything that the child needs, made before the fork: after it nothing may be allocated.
struct Plan {
  explicit Plan(const Program& program)
      : working_directory(program.working_directory.string()),
        environment(program.environment, program.left_out) {
    for (const std::string& argument : program.argv) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
  }
  std::string working_directory;
  Environment environment;
  std::vector<char*> argv;
};

// The child's part. Returns when something failed, with errno set.
void become(const Program& program, const Plan& plan, pid_t parent, int out, int err) {
  // Tied to the thread that forked, which waits in run_program() until the child has ended.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  if (::getppid() != parent) ::_exit(0);  // it died in between
  if (program.ends_as_group && ::setpgid(0, 0) != 0) return;
  // An ignored signal stays ignored over an exec.
  ::signal(SIGPIPE, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0) return;
  if (err >= 0 && ::dup2(err, STDERR_FILENO) < 0) return;
  if (err < 0 && program.quiet && ::dup2(nothing, STDERR_FILENO) < 0) return;
  for (const int descriptor : program.inherited)
    if (::fcntl(descriptor, F_SETFD, 0) != 0) return;
  if (::chdir(plan.working_directory.c_str()) != 0) return;
  ::execvpe(plan.argv[0], plan.argv.data(), plan.environment.pointers());
}

// Gives the child's pid. `out` and `err` are the write ends of the pipes for its output; -1 for none.
pid_t start(const Program& program, int out, int err) {
  const Plan plan(program);
  Pipe trouble = make_pipe();
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) fail_with("cannot start \"" + program.argv[0] + "\"", errno);
  if (child == 0) {
    become(program, plan, parent, out, err);
    const int reason = errno;
    static_cast<void>(::write(trouble.write.get(), &reason, sizeof reason) == 0);
    ::_exit(127);
  }
  trouble.write.close();  // the child's copy goes when it executes the program
  int reason = 0;
  ssize_t got = 0;
  do got = ::read(trouble.read.get(), &reason, sizeof reason);
  while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof reason)) return child;
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  fail_with("cannot start \"" + program.argv[0] + "\"", reason);
}

// Appends what is there now. False at the end of the pipe.
bool take(int descriptor, std::string& text) {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    return count < 0 && errno == EAGAIN;
  }
}

// Hands on the whole lines of `text`, or all of it.
void give_lines(const Program& program, std::string& text, bool all) {
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    program.on_line(text.substr(0, end));
    text.erase(0, end + 1);
  }
  if (all && !text.empty()) program.on_line(std::exchange(text, {}));
}

// What to send to a program that is to end, and when.
class Patience {
 public:
  explicit Patience(const Program& program)
      : program_(program), limit_(std::chrono::steady_clock::now() + program.time_limit) {}

  bool is_over() const { return over_; }
  void keep(pid_t pid) {
    const SteadyTime now = std::chrono::steady_clock::now();
    const int signals = program_.signals ? program_.signals() : 0;
    over_ = over_ || now >= limit_;
    if (over_ && program_.ends_as_group) ::kill(-pid, SIGKILL);
    if (!kill_at_ && (signals > 0 || over_)) {
      ::kill(pid, SIGTERM);
      kill_at_ = now + kGrace;
    }
    if (kill_at_ && (signals > 1 || now >= *kill_at_)) ::kill(pid, SIGKILL);
  }

 private:
  const Program& program_;
  const SteadyTime limit_;
  std::optional<SteadyTime> kill_at_;
  bool over_ = false;
};

}  // namespace

ProgramTimeout::ProgramTimeout(const Program& program)
    : Error(ExitCode::kEnvironment, "\"" + program.argv[0] + "\" did not end within " +
                                        std::to_string(program.time_limit.count() / 1000) +
                                        " s and was killed") {}

ProgramOutput run_program(const Program& program) {
  Pipe pipe = make_pipe(), errors = make_pipe();
  for (const Pipe* each : {&pipe, &errors})
    if (::fcntl(each->read.get(), F_SETFL, O_NONBLOCK) != 0) fail_with("cannot read a pipe", errno);
  const pid_t pid = start(program, pipe.write.get(), program.on_line ? errors.write.get() : -1);
  pipe.write.close();
  errors.write.close();

  Patience patience(program);
  ProgramOutput output;
  std::string lines;
  const auto take_lines = [&](bool at_end) {
    const bool open = program.on_line && take(errors.read.get(), lines);
    if (program.on_line) give_lines(program, lines, at_end);
    return open;
  };
  int status = 0;
  // The end of the pipe is not the end of the program, nor the other way round: a daemon that it left may
  // hold the pipe.
  for (bool open = true, speaks = program.on_line != nullptr; ::waitpid(pid, &status, WNOHANG) == 0;) {
    std::array<pollfd, 2> watched{pollfd{open ? pipe.read.get() : -1, POLLIN, 0},
                                  pollfd{speaks ? errors.read.get() : -1, POLLIN, 0}};
    ::poll(watched.data(), watched.size(), static_cast<int>((open ? kLook : kLookAtTheEnd).count()));
    open = open && take(pipe.read.get(), output.out);
    speaks = speaks && take_lines(/*at_end=*/false);
    patience.keep(pid);
  }
  take(pipe.read.get(), output.out);
  take_lines(/*at_end=*/true);
  if (patience.is_over()) throw ProgramTimeout(program);
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

std::optional<fs::path> find_program(const std::string& name) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error && access((self.parent_path() / name).c_str(), X_OK) == 0) return self.parent_path() / name;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path candidate = fs::path(folder.empty() ? "." : folder) / name;
    if (access(candidate.c_str(), X_OK) == 0 && fs::is_regular_file(candidate, error)) return candidate;
  }
  return std::nullopt;
}

}  // namespace tune
