#pragma once
// Clearing up after a supervisor that was killed.
#include <sys/types.h>

#include <set>
#include <string>

namespace tune::engine {

// The processes of one attempt whose supervisor is gone. This process is their sub-reaper, so most are its
// children now; after a restart they are init's. Owned by the runner, on its thread.
//
// One kind of process is not found: a daemon of the trainer's that had left their session and emptied its
// environment, when loop, supervisor and trainer were killed at the same moment. It is init's child then, and
// nothing that it cannot shed names its attempt (a cgroup would, where a user may make one). A GPU that it
// was given stays leased as long as it lives: it holds the descriptor.
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
