#pragma once
// The two files that an attempt starts from: trial.json for the trainer, launch.json for the supervisor.
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "tuner/engine/attempt/trial_runner.h"
#include "tuner/engine/devices/device_pool.h"

namespace tune::engine {

// What tells a process its share: CUDA_VISIBLE_DEVICES, which is empty where it has no GPU (with
// CUDA_DEVICE_ORDER where it names indices), and OMP_NUM_THREADS unless we were given one. For a trial of
// several processes also what torchrun takes for its own options: how many they are, and a port of this
// machine that was free.
std::map<std::string, std::string> device_environment(const DeviceShare& share);

// Writes both and makes the output folder. `channel` is the supervisor's end of the socket. Gives
// launch.json's path. Throws Error(kEnvironment).
std::filesystem::path write_launch_files(const Attempt& attempt, const DeviceShare& share, int channel);

// What an attempt gets that runs in a cluster's job.
struct JobShare {
  int threads = 1;
  int nodes = 1;
  int gpus = 0;                                          // on each node; which ones, the cluster says there
  int processes = 1;                                     // likewise, that the trial consists of
  std::uint64_t program_bytes = 0;                       // of tune-supervisor here
  std::optional<Milliseconds> time_left = std::nullopt;  // from the job's begin until the attempt must end
};
// The same for one: it has no channel, holds no leases, and leaves CUDA_VISIBLE_DEVICES as it finds it. Where
// its processes meet, the job's script says.
std::filesystem::path write_launch_files(const Attempt& attempt, const JobShare& share);

}  // namespace tune::engine
