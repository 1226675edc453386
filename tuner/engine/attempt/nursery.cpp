#include "tuner/engine/attempt/nursery.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/os/process.h"

extern char** environ;

namespace tune::engine {
namespace {

// Forking takes a fraction of a millisecond. A nursery that is silent this long is stopped or stuck.
constexpr timeval kAnswerTime{10, 0};

// Our own environment, with room for a token in it.
std::vector<std::string> nursery_environment() {
  const std::string token = std::string(kTokenVariable) + "=";
  std::vector<std::string> result;
  for (char** entry = environ; *entry; ++entry)
    if (!std::string_view(*entry).starts_with(token)) result.emplace_back(*entry);
  result.push_back(token + std::string(kLongestToken, '-'));
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

Channel open_pair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw Error(ExitCode::kEnvironment,
                std::string("cannot open a socket for a supervisor: ") + std::strerror(errno),
                errno == EMFILE ? "raise the limit of open files (ulimit -n) or lower limits.parallel" : "");
  return {ends[0], ends[1]};
}

[[noreturn]] void fail(const std::filesystem::path& program, const std::string& reason) {
  throw Error(ExitCode::kEnvironment, "cannot start \"" + program.string() + "\": " + reason,
              "tune-supervisor is installed beside tune");
}

[[noreturn]] void fail(const std::filesystem::path& program, int reason) {
  if (reason != EAGAIN && reason != ENOMEM && reason != ENFILE)
    fail(program, std::string(std::strerror(reason)));
  throw LackOfResources("cannot start \"" + program.string() + "\": " + std::strerror(reason),
                        reason == EAGAIN ? "raise the limit of processes (ulimit -u) or lower limits.parallel"
                                         : "free some memory or lower limits.parallel");
}

}  // namespace

Channel open_channel() {
  const Channel channel = open_pair(SOCK_STREAM);
  static_cast<void>(::fcntl(channel.ours, F_SETFL, O_NONBLOCK));
  return channel;
}

SupervisorProcess Nursery::start(const std::filesystem::path& launch_file, const Channel& channel,
                                 const std::vector<int>& leases,
                                 const std::map<std::string, std::string>& environment) {
  std::string request = launch_file.string() + '\0';
  for (const auto& [name, value] : environment) request += name + "=" + value + '\0';
  std::vector<int> descriptors{channel.theirs};
  descriptors.insert(descriptors.end(), leases.begin(), leases.end());
  SupervisorProcess process;
  try {
    process.pid = fork_supervisor(request, descriptors);
  } catch (...) {
    ::close(channel.theirs);
    ::close(channel.ours);
    throw;
  }
  ::close(channel.theirs);
  process.channel = channel.ours;
  if (const auto info = process_info(process.pid)) process.start_time = info->start_time;
  return process;
}

pid_t Nursery::fork_supervisor(const std::string& request, const std::vector<int>& descriptors) {
  if (request.size() > kNurseryRequestLimit)
    throw Error(ExitCode::kEnvironment, "the environment of a trial is longer than " +
                                            std::to_string(kNurseryRequestLimit >> 10) + " kB");
  if (channel_ < 0) open();
  if (!send(request, descriptors)) {
    // Somebody has killed it since; it has not read this.
    close();
    open();
    if (!send(request, descriptors)) fail(program_, errno);
  }
  int answer = 0;
  ssize_t got = 0;
  do got = ::recv(channel_, &answer, sizeof answer, 0);
  while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof answer)) {
    // Whatever it has begun ends when the attempt's socket is closed.
    close();
    fail(program_, std::string("it was killed or does not answer"));
  }
  if (answer < 0) fail(program_, -answer);
  return answer;
}

bool Nursery::send(const std::string& request, const std::vector<int>& descriptors) const {
  iovec place{const_cast<char*>(request.data()), request.size()};
  const std::size_t size = descriptors.size() * sizeof(int);
  std::vector<char> ancillary(CMSG_SPACE(size));  // aligned for anything, as the heap is
  msghdr message{};
  message.msg_iov = &place;
  message.msg_iovlen = 1;
  message.msg_control = ancillary.data();
  message.msg_controllen = ancillary.size();
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(part), descriptors.data(), size);
  ssize_t sent = 0;
  do sent = ::sendmsg(channel_, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

void Nursery::open() {
  const Channel channel = open_pair(SOCK_SEQPACKET);
  SpawnAttributes how;
  ::posix_spawn_file_actions_addopen(&how.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // Duplicating a descriptor onto itself takes close-on-exec off, in the child alone.
  ::posix_spawn_file_actions_adddup2(&how.actions, channel.theirs, channel.theirs);
  std::string program = program_.string(), option = kNurseryOption, number = std::to_string(channel.theirs);
  std::array<char*, 4> argv{program.data(), option.data(), number.data(), nullptr};
  std::vector<std::string> variables = nursery_environment();
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  const int error =
      ::posix_spawn(&pid_, program.c_str(), &how.actions, &how.attributes, argv.data(), envp.data());
  ::close(channel.theirs);
  if (error != 0) {
    ::close(channel.ours);
    pid_ = -1;
    fail(program_, error);
  }
  channel_ = channel.ours;
  static_cast<void>(::setsockopt(channel_, SOL_SOCKET, SO_RCVTIMEO, &kAnswerTime, sizeof kAnswerTime));
}

void Nursery::close() {
  if (channel_ < 0) return;
  // Not by the end of the socket, which a fork of this process may still hold, nor by asking one that is
  // stuck.
  ::close(channel_);
  channel_ = -1;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace tune::engine
