#include "tuner/os/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <set>

#include "tuner/core/visible_text.h"

namespace tune {
namespace {

// Files of /proc have no size; empty when it cannot be read.
std::string read_proc_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string content;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(fd);
  return content;
}

}  // namespace

std::string boot_id() {
  std::string id = read_proc_file("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && std::isspace(static_cast<unsigned char>(id.back()))) id.pop_back();
  return id;
}

std::optional<ProcessInfo> process_info(pid_t pid) {
  const std::string stat = read_proc_file("/proc/" + std::to_string(pid) + "/stat");
  // The name in parentheses may itself hold spaces and parentheses; the fields start after the last one.
  const std::size_t end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  unsigned long long start_time = 0;
  const int fields =
      std::sscanf(stat.c_str() + end_of_name + 1,
                  " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                  &info.state, &info.parent, &info.group, &info.session, &start_time);
  if (fields != 5) return std::nullopt;
  info.start_time = start_time;
  return info;
}

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> processes;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return processes;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (const auto info = process_info(pid)) processes.push_back(*info);
  }
  return processes;
}

std::vector<ProcessInfo> descendants_of(pid_t root, const std::vector<ProcessInfo>& processes) {
  std::vector<ProcessInfo> found;
  std::set<pid_t> parents{root};
  for (bool grew = true; grew;) {
    grew = false;
    for (const ProcessInfo& process : processes) {
      if (!parents.contains(process.parent) || parents.contains(process.pid)) continue;
      parents.insert(process.pid);
      found.push_back(process);
      grew = true;
    }
  }
  return found;
}

std::string states_of(const std::vector<ProcessInfo>& processes) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(processes.size(), kMost); ++i) {
    const std::string folder = "/proc/" + std::to_string(processes[i].pid);
    std::string name = read_proc_file(folder + "/comm");
    if (name.ends_with('\n')) name.pop_back();
    text += (text.empty() ? "" : ", ") + visible_text(name) + " (" + std::to_string(processes[i].pid) + ") " +
            processes[i].state;
    const std::string place = read_proc_file(folder + "/wchan");
    if (!place.empty() && place != "0") text += " " + place;
  }
  if (processes.size() > kMost) text += " and " + std::to_string(processes.size() - kMost) + " more";
  return text;
}

std::string environment_value(pid_t pid, std::string_view name) {
  const std::string environment =
      std::string(1, '\0').append(read_proc_file("/proc/" + std::to_string(pid) + "/environ"));
  const std::string start = std::string(1, '\0').append(name).append("=");
  const std::size_t at = environment.find(start);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + start.size();
  return environment.substr(begin, environment.find('\0', begin) - begin);
}

int open_process(pid_t pid, std::uint64_t start_time) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return -1;
  // Checked after opening: from here on the number cannot pass to another process unnoticed.
  const auto info = process_info(pid);
  if (info && info->start_time == start_time && info->state != 'Z' && info->state != 'X') return fd;
  ::close(fd);
  return -1;
}

bool signal_process(pid_t pid, std::uint64_t start_time, int signal) {
  const int fd = open_process(pid, start_time);
  if (fd < 0) return false;
  const bool sent = ::syscall(SYS_pidfd_send_signal, fd, signal, nullptr, 0) == 0;
  ::close(fd);
  return sent;
}

}  // namespace tune
