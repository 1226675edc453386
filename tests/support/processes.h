#pragma once
// Real processes in tests: the chaos trainer, a supervisor without a runner, and whether somebody is still
// alive.
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::tests {

// The chaos trainer's path, followed by its acts.
std::vector<std::string> chaos(std::vector<std::string> acts);
// Runs and not a zombie.
bool is_running(pid_t pid);
// The pid that the chaos trainer has written into a file; waits for the file.
pid_t pid_in(const std::filesystem::path& file);
// Waits until the condition holds. Throws after 30 seconds, so that a failing test ends: no assertion on
// time.
void wait_until(const std::function<bool()>& condition, const std::string& what);
// VmHWM of /proc/PID/status: the most memory that a process has held, in bytes.
std::size_t peak_memory(pid_t pid);
// What a process has written so far, in bytes, as soon as it writes no more.
std::size_t written_when_blocked(pid_t pid);

// tune-supervisor as its runner starts it, for one attempt in `folder`.
class SupervisorRun {
 public:
  // `changes` replaces keys of launch.json; the token is "token" and the working directory is `folder`.
  SupervisorRun(std::filesystem::path folder, const std::vector<std::string>& argv,
                const Json& changes = Json::object());
  ~SupervisorRun();
  SupervisorRun(const SupervisorRun&) = delete;
  SupervisorRun& operator=(const SupervisorRun&) = delete;

  pid_t pid() const { return pid_; }
  void command(const std::string& line);  // into the control socket
  void wait_for_wake();                   // the supervisor said that metrics.jsonl has grown
  void wait_for_word(char word);          // one of attempt_layout.h
  void hang_up();                         // as if the runner had died
  // Waits for its end, and gives exit.json. Throws when there is none.
  Json wait();

 private:
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  int channel_ = -1;
};

}  // namespace tune::tests
