#include "tuner/supervisor/nursery.h"

#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/attempt_layout.h"
#include "tuner/supervisor/supervisor.h"

namespace tune::supervisor {
namespace {

constexpr std::size_t kMostDescriptors = 253;  // SCM_MAX_FD of the kernel

struct Request {
  std::vector<std::string> texts;
  std::vector<int> descriptors;
};

std::vector<int> descriptors_of(msghdr& message) {
  std::vector<int> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    descriptors.resize((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(descriptors.data(), CMSG_DATA(part), descriptors.size() * sizeof(int));
  }
  return descriptors;
}

// nullopt when nobody will ask any more.
std::optional<Request> receive(int channel) {
  static std::array<char, kNurseryRequestLimit> bytes;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostDescriptors * sizeof(int))> ancillary;
  iovec place{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &place;
  message.msg_iovlen = 1;
  message.msg_control = ancillary.data();
  message.msg_controllen = ancillary.size();
  ssize_t got = 0;
  do got = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;
  Request request;
  request.descriptors = descriptors_of(message);
  for (std::string_view rest(bytes.data(), static_cast<std::size_t>(got)); !rest.empty();) {
    request.texts.emplace_back(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), request.texts.back().size() + 1));
  }
  return request;
}

// The token is written over the one that the nursery was started with, since /proc/PID/environ shows no other
// place; whoever looks for what an attempt has left finds its supervisor by it.
void set_variable(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return;
  const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
  char* const place = name == kTokenVariable ? std::getenv(kTokenVariable) : nullptr;
  if (!place || std::strlen(place) < value.size())
    ::setenv(name.c_str(), value.c_str(), 1);
  else
    std::strncpy(place, value.c_str(), std::strlen(place));
}

int be_supervisor(const Request& request) try {
  ::setsid();
  for (std::size_t i = 1; i < request.texts.size(); ++i) set_variable(request.texts[i]);
  Launch launch = read_launch(request.texts.at(0));
  // The numbers in the file are those of the runner's process.
  launch.control = request.descriptors.at(0);
  launch.leases.assign(request.descriptors.begin() + 1, request.descriptors.end());
  return Supervisor(launch).run();
} catch (const std::exception& problem) {
  std::fprintf(stderr, "tune-supervisor: %s\n", problem.what());
  return 70;
}

}  // namespace

int run_nursery(int channel) {
  while (const std::optional<Request> request = receive(channel)) {
    // A brother, not a child: the runner reaps it, and it stays when the nursery goes.
    const long pid = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) {
      ::close(channel);
      ::_exit(be_supervisor(*request));
    }
    const int answer = pid > 0 ? static_cast<int>(pid) : -errno;
    for (const int descriptor : request->descriptors) ::close(descriptor);
    if (::send(channel, &answer, sizeof answer, MSG_NOSIGNAL) < 0) break;
  }
  return 0;
}

}  // namespace tune::supervisor
