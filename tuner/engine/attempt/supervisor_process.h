#pragma once
// Finds the program of supervisors, and starts that of an attempt.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tuner/os/descriptor.h"

namespace tune::engine {

// tune-supervisor: beside this program, else in ../libexec/tune, else on the PATH. Throws
// Error(kEnvironment).
std::filesystem::path find_supervisor();

// A connected pair of sockets. Ours does not block: commands out, wake bytes in, end-of-file when the
// supervisor is gone.
struct Channel {
  Descriptor ours, theirs;
};
// Throws Error(kEnvironment).
Channel open_channel();

struct SupervisorProcess {
  pid_t pid = -1;
  std::uint64_t start_time = 0;
};

// Starts `program` (tune-supervisor) for the attempt of a launch file, as a child of this process in a
// session of its own, whose standard input is empty. It inherits `descriptors` under their numbers, which the
// launch file has, and `environment` on top of ours. Throws Error(kEnvironment), LackOfResources where a
// limit or the memory of the machine is the reason.
SupervisorProcess start_supervisor(const std::filesystem::path& program,
                                   const std::filesystem::path& launch_file,
                                   const std::vector<int>& descriptors,
                                   const std::map<std::string, std::string>& environment);

}  // namespace tune::engine
