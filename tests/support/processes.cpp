#include "support/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "tuner/core/attempt_layout.h"
#include "tuner/os/process.h"

namespace tune::tests {

std::vector<std::string> chaos(std::vector<std::string> acts) {
  acts.insert(acts.begin(), TUNE_TEST_BIN_DIR "/chaos_trainer");
  return acts;
}

bool is_running(pid_t pid) {
  const auto info = process_info(pid);
  return info && info->state != 'Z' && info->state != 'X';
}

void wait_until(const std::function<bool()>& condition, const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("waited in vain until " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

pid_t pid_in(const std::filesystem::path& file) {
  wait_until([&] { return std::filesystem::exists(file); }, file.string() + " exists");
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  return pid;
}

std::size_t peak_memory(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  throw std::runtime_error("process " + std::to_string(pid) + " has no VmHWM");
}

std::size_t written_when_blocked(pid_t pid) {
  const auto written = [pid]() -> std::size_t {
    std::ifstream io("/proc/" + std::to_string(pid) + "/io");
    for (std::string line; std::getline(io, line);)
      if (line.starts_with("wchar:")) return std::stoul(line.substr(6));
    throw std::runtime_error("process " + std::to_string(pid) + " has no wchar");
  };
  std::size_t before = written();
  int equal = 0;
  wait_until(
      [&] {
        const std::size_t now = written();
        equal = now == before && now > 0 ? equal + 1 : 0;
        before = now;
        return equal == 200;
      },
      "the process is blocked");
  return before;
}

SupervisorRun::SupervisorRun(std::filesystem::path folder, const std::vector<std::string>& argv,
                             const Json& changes)
    : folder_(std::move(folder)) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error("socketpair failed");
  Json launch = {{"schema", 1},
                 {"token", "token"},
                 {"argv", argv},
                 {"working_directory", folder_.string()},
                 {"environment", Json::object()},
                 {"metrics", Json::array({{{"name", "loss"}, {"regex", "loss=(\\S+)"}}})},
                 {"steps_done", Json::object()},
                 {"grace_ms", 10'000},
                 {"cpus", Json::array()},
                 {"control", ends[1]},
                 {"leases", Json::array()}};
  launch.update(changes);
  const std::string file = (folder_ / "launch.json").string();
  std::ofstream(file) << launch.dump();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setsid();
    ::fcntl(ends[1], F_SETFD, 0);
    ::execl(TUNE_BIN_DIR "/tune-supervisor", "tune-supervisor", file.c_str(), nullptr);
    ::_exit(113);
  }
  ::close(ends[1]);
  channel_ = ends[0];
}

SupervisorRun::~SupervisorRun() {
  hang_up();
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

void SupervisorRun::command(const std::string& line) {
  const std::string text = line + "\n";
  if (::send(channel_, text.data(), text.size(), MSG_NOSIGNAL) < 0)
    throw std::runtime_error("the supervisor is gone");
}

void SupervisorRun::wait_for_wake() { wait_for_word(kSaysMetrics); }

void SupervisorRun::wait_for_word(char word) {
  char byte = 0;
  do {
    if (::recv(channel_, &byte, 1, 0) != 1) throw std::runtime_error("the supervisor is gone");
  } while (byte != word);
}

void SupervisorRun::hang_up() {
  if (channel_ >= 0) ::close(channel_);
  channel_ = -1;
}

Json SupervisorRun::wait() {
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) throw std::runtime_error("waitpid failed");
  pid_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error("the supervisor ended with status " + std::to_string(status));
  std::ifstream file(folder_ / "exit.json");
  return Json::parse(file);
}

}  // namespace tune::tests
