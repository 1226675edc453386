#include "tuner/engine/attempt/orphaned_tree.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "tuner/core/attempt_layout.h"
#include "tuner/os/process.h"

namespace tune::engine {

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
