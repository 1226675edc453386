#pragma once
// The process that answers an endpoint's requests, as its supervisor holds it.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/os/descriptor.h"

namespace tune::endpoint {

// The endpoint's folder, in the environment of its workers, and so of what they start.
inline constexpr const char* kEndpointVariable = "TUNE_ENDPOINT";

struct WorkerLaunch {
  std::filesystem::path endpoint;  // its folder
  std::vector<std::string> argv;   // argv[0] is a path, or is looked up on the path
  std::filesystem::path working_directory;
  int listening = -1;                         // the socket, inherited under its own number
  std::optional<std::uint64_t> memory_bytes;  // RLIMIT_DATA
};

// A worker from its start to its end: a process group of its own that dies with the thread that started it,
// whatever ends that. Talks with it in lines of JSON over its stdin and stdout; what else it prints is given
// to the log. Owned by the supervisor, on its thread; never blocks but to start and to end it.
class Worker {
 public:
  // Throws Error(kEnvironment) where it cannot be started.
  explicit Worker(const WorkerLaunch& launch);
  ~Worker();  // kills what is left of it
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  pid_t pid() const { return pid_; }
  // To poll for: something to read, or its end.
  int lines() const { return out_.get(); }
  int errors() const { return err_.get(); }
  int end() const { return process_.get(); }

  // False when it cannot take it: it has ended, or reads nothing.
  bool send(const Json& message);
  // The messages that have come, and into `log` what is none.
  std::vector<Json> read_messages(std::string& log);
  std::string read_errors();
  // The end of its stdin, and SIGTERM: it finishes what runs and ends.
  void ask_to_end();
  void kill();  // the whole group, at once
  // How it ended, once it has, as waitpid(2) says.
  std::optional<int> status();

 private:
  pid_t pid_ = -1;
  Descriptor in_, out_, err_, process_;
  std::string unfinished_;
  std::optional<int> status_;
};

// Ends what workers of that endpoint have started and left behind, whichever group or session it is in now,
// and waits until it is gone. Nobody may hold the endpoint's lock but this process, and no worker may run.
// What has emptied its environment is not found.
void end_remains(const std::filesystem::path& endpoint);

// "ended with exit code 3", "was ended by signal 9 (Killed)".
std::string ending_text(int status);

}  // namespace tune::endpoint
