#include "tuner/cli/dashboard_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/file_system.h"
#include "tuner/os/pipe.h"

namespace tune::cli {
namespace {

constexpr int kBeginPatienceMs = 20'000;
constexpr std::chrono::milliseconds kLookForEnd{10};
constexpr std::chrono::seconds kEndPatience{5};

// The child's part, between fork and exec: nothing here takes memory.
[[noreturn]] void become_server(const std::vector<char*>& argv, int out, pid_t parent) {
  ::setpgid(0, 0);  // Ctrl-C is for the search
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);  // it has died meanwhile
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

// The first line that it prints; empty when it ends, or says nothing in time.
std::string first_line_of(int descriptor) {
  std::string line;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kBeginPatienceMs);
  while (line.find('\n') == std::string::npos) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    pollfd waited{descriptor, POLLIN, 0};
    if (left <= 0 || ::poll(&waited, 1, static_cast<int>(left)) == 0) return {};
    std::array<char, 4096> bytes{};
    const ssize_t count = ::read(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return {};
    line.append(bytes.data(), static_cast<std::size_t>(count));
  }
  return line.substr(0, line.find('\n'));
}

}  // namespace

DashboardProcess::DashboardProcess(const std::filesystem::path& store, std::ostream& out) {
  make_private_folder(store);
  Pipe pipe = make_pipe();
  std::vector<std::string> words{"tune",        "serve",   "--json",      "--addr",
                                 "127.0.0.1:0", "--store", store.string()};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0)
    throw LackOfResources(std::string("cannot start `tune serve`: ") + std::strerror(errno),
                          "run without --serve");
  if (process_ == 0) become_server(argv, pipe.write.get(), parent);
  pipe.write.close();
  const Json said = Json::parse(first_line_of(pipe.read.get()), nullptr, /*allow_exceptions=*/false);
  if (!said.is_object() || !said.contains("url")) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    throw Error(ExitCode::kEnvironment, "`tune serve` did not begin, so nothing was searched",
                "its error is printed above; run without --serve to search all the same");
  }
  out << "Open in a browser while this runs (good for one use): "
      << visible_text(said["url"].get<std::string>()) << std::endl;
}

DashboardProcess::~DashboardProcess() {
  ::kill(process_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kEndPatience;
  while (::waitpid(process_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) ::kill(process_, SIGKILL);
    std::this_thread::sleep_for(kLookForEnd);
  }
}

}  // namespace tune::cli
