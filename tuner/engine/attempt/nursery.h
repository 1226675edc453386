#pragma once
// Where supervisors come from.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tune::engine {

struct SupervisorProcess {
  pid_t pid = -1;
  std::uint64_t start_time = 0;
  // Non-blocking socket: commands out, wake bytes in, end-of-file when the supervisor is gone.
  int channel = -1;
};

// A connected pair of sockets, both close-on-exec. Throws Error(kEnvironment).
struct Channel {
  int ours = -1, theirs = -1;
};
Channel open_channel();

// Keeps one tune-supervisor that forks itself for each attempt. Executing it each time costs four times as
// much (measured: 0.5 ms against 0.12, most of it spent in the C library's look at the processor), a fifth of
// what a short trial takes. What it forks are children of this process, in sessions of their own, whose
// standard input is empty. It ends with this object, or with this process; its supervisors do not. Owned by
// the runner, on its thread.
class Nursery {
 public:
  explicit Nursery(std::filesystem::path program) : program_(std::move(program)) {}
  ~Nursery() { close(); }
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  // Starts the supervisor of one attempt; `leases` are descriptors that its trainer inherits. Closes
  // channel.theirs. Throws Error(kEnvironment), after closing both ends.
  SupervisorProcess start(const std::filesystem::path& launch_file, const Channel& channel,
                          const std::vector<int>& leases,
                          const std::map<std::string, std::string>& environment);

 private:
  pid_t fork_supervisor(const std::string& request, const std::vector<int>& descriptors);
  bool send(const std::string& request, const std::vector<int>& descriptors) const;
  void open();
  void close();

  std::filesystem::path program_;
  pid_t pid_ = -1;
  int channel_ = -1;
};

}  // namespace tune::engine
