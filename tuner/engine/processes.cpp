#include "tuner/engine/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/process.h"

extern char** environ;

namespace tune::engine {
namespace {

std::vector<std::string> environment_with(const std::map<std::string, std::string>& extra) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    if (!extra.contains(std::string(text.substr(0, text.find('='))))) result.emplace_back(text);
  }
  for (const auto& [name, value] : extra) result.push_back(name + "=" + value);
  return result;
}

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

}  // namespace

Channel open_channel() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw Error(ExitCode::kEnvironment,
                std::string("cannot open a socket for a supervisor: ") + std::strerror(errno),
                errno == EMFILE ? "raise the limit of open files (ulimit -n) or lower limits.parallel" : "");
  static_cast<void>(::fcntl(ends[0], F_SETFL, O_NONBLOCK));
  return {ends[0], ends[1]};
}

SupervisorProcess spawn_supervisor(const std::filesystem::path& supervisor,
                                   const std::filesystem::path& launch_file, const Channel& channel,
                                   const std::set<int>& inherited,
                                   const std::map<std::string, std::string>& environment) {
  SpawnAttributes how;
  ::posix_spawn_file_actions_addopen(&how.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // Duplicating a descriptor onto itself takes close-on-exec off, in the child alone.
  ::posix_spawn_file_actions_adddup2(&how.actions, channel.theirs, channel.theirs);
  for (const int fd : inherited) ::posix_spawn_file_actions_adddup2(&how.actions, fd, fd);
  std::string program = supervisor.string(), file = launch_file.string();
  std::array<char*, 3> argv{program.data(), file.data(), nullptr};
  std::vector<std::string> variables = environment_with(environment);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);

  SupervisorProcess process;
  const int error =
      ::posix_spawn(&process.pid, program.c_str(), &how.actions, &how.attributes, argv.data(), envp.data());
  ::close(channel.theirs);
  if (error != 0) {
    ::close(channel.ours);
    throw Error(ExitCode::kEnvironment, "cannot start \"" + program + "\": " + std::strerror(error),
                error == EAGAIN ? "raise the limit of processes (ulimit -u) or lower limits.parallel"
                                : "tune-supervisor is installed beside tune");
  }
  process.channel = channel.ours;
  if (const auto info = process_info(process.pid)) process.start_time = info->start_time;
  return process;
}

bool OrphanedTree::end() {
  const pid_t self = ::getpid(), own_session = ::getsid(0);
  std::erase_if(killed_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == pid; });

  const std::vector<ProcessInfo> all = all_processes();
  std::set<pid_t> ours;
  for (const ProcessInfo& process : all) {
    const std::string token = environment_value(process.pid, kTokenVariable);
    // What a former orchestrator left has gone to init, never to us.
    const bool is_child = supervisor_ > 0 && process.parent == self;
    // A session's number alone proves nothing: it may be a stranger's by now.
    const bool is_in_session = is_child && process.session == supervisor_;
    // An orphan that has left the session and emptied its environment. Supervisors, which are our children in
    // sessions of their own too, carry a token.
    const bool has_escaped =
        is_child && token.empty() && process.session != own_session && process.state != 'Z';
    if (token == token_ || is_in_session || has_escaped) ours.insert(process.pid);
  }
  for (const pid_t root : std::set<pid_t>(ours))
    for (const ProcessInfo& process : descendants_of(root, all)) ours.insert(process.pid);

  bool any_left = false;
  for (const ProcessInfo& process : all) {
    if (!ours.contains(process.pid)) continue;
    if (process.state == 'Z') {
      // Somebody else's zombie holds nothing any more.
      if (process.parent == self && supervisor_ > 0) ::waitpid(process.pid, nullptr, WNOHANG);
      continue;
    }
    any_left = true;
    killed_.insert(process.pid);
    signal_process(process.pid, process.start_time, SIGKILL);
  }
  return !any_left;
}

}  // namespace tune::engine
