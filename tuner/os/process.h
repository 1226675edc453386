#pragma once
// Other processes of this machine (Linux): who they are, who their parents are, and signals that cannot hit a
// stranger.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tune {

// What /proc/PID/stat says. A pid alone may be reused; pid, start time and boot id name a process for good.
struct ProcessInfo {
  pid_t pid = 0, parent = 0, group = 0, session = 0;
  char state = '?';              // R, S, D, T, Z (ended, not yet reaped), X
  std::uint64_t start_time = 0;  // clock ticks since boot
};

std::string boot_id();  // changes with each boot; empty where /proc has none
std::optional<ProcessInfo> process_info(pid_t pid);
std::vector<ProcessInfo> all_processes();
// Children of `root`, their children and so on, those of `processes`; not `root` itself.
std::vector<ProcessInfo> descendants_of(pid_t root, const std::vector<ProcessInfo>& processes);
// What those processes do, for people: "python3 (812) S futex_do_wait, python3 (815) D pipe_read", the first
// few of them: name, pid, state and where in the kernel each waits, as far as /proc tells.
std::string states_of(const std::vector<ProcessInfo>& processes);
// A variable of the environment that a process was started with; empty when it has none, has ended or is
// another user's.
std::string environment_value(pid_t pid, std::string_view name);
// A descriptor of exactly that process (close-on-exec), which polls readable when it ends; -1 when it is
// gone.
int open_process(pid_t pid, std::uint64_t start_time);
// Sends a signal to exactly that process. False when it is gone or may not be signalled.
bool signal_process(pid_t pid, std::uint64_t start_time, int signal);

}  // namespace tune
