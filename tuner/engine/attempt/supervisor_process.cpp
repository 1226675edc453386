#include "tuner/engine/attempt/supervisor_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tuner/core/error.h"
#include "tuner/os/environment.h"
#include "tuner/os/process.h"

namespace tune::engine {
namespace {

struct SpawnAttributes {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;

  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    // A session of its own: Ctrl-C and a closed terminal reach the loop, which decides what becomes of the
    // trials.
    ::posix_spawnattr_setflags(
        &attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID));
  }
  ~SpawnAttributes() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
};

[[noreturn]] void fail(const std::filesystem::path& program, int reason) {
  const std::string message = "cannot start \"" + program.string() + "\": " + std::strerror(reason);
  if (reason == E2BIG)
    throw Error(ExitCode::kEnvironment, message, "the variables of the environment are too long");
  if (reason != EAGAIN && reason != ENOMEM && reason != ENFILE)
    throw Error(ExitCode::kEnvironment, message, "tune-supervisor is installed beside tune");
  throw LackOfResources(message, reason == EAGAIN
                                     ? "raise the limit of processes (ulimit -u) or lower limits.parallel"
                                     : "free some memory or lower limits.parallel");
}

}  // namespace

std::filesystem::path find_supervisor() {
  constexpr const char* kName = "tune-supervisor";
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const std::filesystem::path& candidate : {folder / kName, folder / ".." / "libexec" / "tune" / kName})
    if (::access(candidate.c_str(), X_OK) == 0) return candidate.lexically_normal();
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable ? variable : "";
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    const std::filesystem::path candidate = std::filesystem::path(entry) / kName;
    if (!entry.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  throw Error(ExitCode::kEnvironment,
              "tune-supervisor was not found beside \"" + folder.string() + "/\" or on the PATH",
              "install it in the same folder as tune");
}

Channel open_channel() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw Error(ExitCode::kEnvironment,
                std::string("cannot open a socket for a supervisor: ") + std::strerror(errno),
                errno == EMFILE ? "raise the limit of open files (ulimit -n) or lower limits.parallel" : "");
  static_cast<void>(::fcntl(ends[0], F_SETFL, O_NONBLOCK));
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

SupervisorProcess start_supervisor(const std::filesystem::path& program,
                                   const std::filesystem::path& launch_file,
                                   const std::vector<int>& descriptors,
                                   const std::map<std::string, std::string>& environment) {
  const Environment variables(environment);
  SpawnAttributes how;
  ::posix_spawn_file_actions_addopen(&how.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // Duplicating a descriptor onto itself takes close-on-exec off, in the child alone.
  for (const int descriptor : descriptors)
    ::posix_spawn_file_actions_adddup2(&how.actions, descriptor, descriptor);
  std::string name = program.string(), file = launch_file.string();
  std::array<char*, 3> argv{name.data(), file.data(), nullptr};
  SupervisorProcess process;
  const int error = ::posix_spawn(&process.pid, name.c_str(), &how.actions, &how.attributes, argv.data(),
                                  variables.pointers());
  if (error != 0) fail(program, error);
  if (const auto info = process_info(process.pid)) process.start_time = info->start_time;
  return process;
}

}  // namespace tune::engine
