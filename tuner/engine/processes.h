#pragma once
// Supervisors as processes: starting them, and clearing up after one that was killed.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace tune::engine {

struct SupervisorProcess {
  pid_t pid = -1;
  std::uint64_t start_time = 0;
  int channel =
      -1;  // non-blocking socket: commands out, wake bytes in, end-of-file when the supervisor is gone
};

// A connected pair of sockets, both close-on-exec. Throws Error(kEnvironment).
struct Channel {
  int ours = -1, theirs = -1;
};
Channel open_channel();

// Starts `supervisor` with `launch_file` in a session of its own. Descriptors in `inherited` and
// channel.theirs stay open in it under their own numbers, all others do not. Closes channel.theirs. Throws
// Error(kEnvironment), after closing both ends.
SupervisorProcess spawn_supervisor(const std::filesystem::path& supervisor,
                                   const std::filesystem::path& launch_file, const Channel& channel,
                                   const std::set<int>& inherited,
                                   const std::map<std::string, std::string>& environment);

// The processes of one attempt whose supervisor is gone. This process is their sub-reaper, so most are its
// children now; after a restart they are init's. Owned by the runner, on its thread.
//
// Not found is one kind of process: when loop, supervisor and trainer were killed at the same moment, a
// daemon of the trainer's that had left their session and emptied its environment. It is init's child then,
// and nothing that it cannot shed names its attempt (a cgroup would, where a user may make one). A GPU that
// it was given stays leased as long as it lives: it holds the descriptor.
class OrphanedTree {
 public:
  // `supervisor`: a child of this process that has been reaped; -1 for one of a former orchestrator.
  OrphanedTree(std::string token, pid_t supervisor) : token_(std::move(token)), supervisor_(supervisor) {}
  // One pass: sends SIGKILL to all that are left, reaps those that are ours. True when none is left.
  bool end();

 private:
  std::string token_;
  pid_t supervisor_;
  std::set<pid_t> killed_;
};

}  // namespace tune::engine
