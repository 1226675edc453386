#include "tuner/engine/attempt/attempt_launch.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/descriptor.h"

namespace tune::engine {
namespace {

constexpr const char* kGpuVariable = "CUDA_VISIBLE_DEVICES";
constexpr const char* kPythonVariable = "PYTHONUNBUFFERED";
constexpr const char* kLoopback = "127.0.0.1";
constexpr const char* kOnEachNode =
    R"([ -r "$TUNE_TRIAL_FILE" ] || { echo "tune: $SLURMD_NODENAME does not see $TUNE_TRIAL_FILE"; exit 87; }; exec "$@")";

std::string joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "" : ",") + text;
  return result;
}

// Trials that run side by side need a port each. Somebody else may take it before the trial does.
int free_port() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* place = reinterpret_cast<sockaddr*>(&address);
  if (socket.get() < 0 || ::bind(socket.get(), place, size) != 0 ||
      ::getsockname(socket.get(), place, &size) != 0)
    throw Error(ExitCode::kEnvironment,
                std::string("no port of ") + kLoopback + " is free: " + std::strerror(errno),
                "see `ss -tan`, and whether the loopback device is up");
  return ntohs(address.sin_port);
}

// Threads, processes and devices are those of one machine.
Json trial_document(const Attempt& attempt, int threads, int processes,
                    const std::vector<std::string>& devices, int nodes = 1) {
  Json trial = attempt.trial_json;
  trial["threads"] = threads;
  trial["devices"] = devices;
  if (processes > 1) trial["processes"] = processes;
  if (nodes > 1) trial["nodes"] = nodes;
  return trial;
}

// PET_ is the prefix of torchrun's options in the environment (torch/distributed/argparse_util.py).
void tell_processes(std::map<std::string, std::string>& environment, int processes) {
  environment["TUNE_PROCESSES"] = environment["PET_NPROC_PER_NODE"] = std::to_string(processes);
}

Json metric_documents(const std::vector<MetricDefinition>& metrics) {
  Json list = Json::array();
  for (const MetricDefinition& metric : metrics) {
    list.push_back({{"name", metric.name}, {"regex", metric.regex}});
    if (metric.step) list.back()["step"] = *metric.step;
  }
  return list;
}

}  // namespace

std::map<std::string, std::string> device_environment(const DeviceShare& share) {
  std::map<std::string, std::string> environment;
  // Empty where it has none: a GPU that is seen without a lease would be used beside those who hold one.
  environment[kGpuVariable] = joined(share.visible);
  // CUDA's own order is by speed; the indices here are those of the PCI bus.
  if (share.visible != share.devices) environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
  // Libraries that count the machine's cores instead of the trial's would make trials fight for them.
  if (!std::getenv("OMP_NUM_THREADS"))
    environment["OMP_NUM_THREADS"] = std::to_string(std::max(1, share.threads / share.processes));
  if (share.processes == 1) return environment;
  tell_processes(environment, share.processes);
  environment["MASTER_ADDR"] = environment["PET_MASTER_ADDR"] = kLoopback;
  environment["MASTER_PORT"] = environment["PET_MASTER_PORT"] = std::to_string(free_port());
  return environment;
}

namespace {

// Adds what the attempt brings to what its place says.
std::map<std::string, std::string> whole_environment(const Attempt& attempt,
                                                     std::map<std::string, std::string> environment) {
  // Python keeps what it prints into a pipe until 8 kB have come together: too late for a stop rule, and for
  // a person who follows the log.
  if (!attempt.secret_environment.contains(kPythonVariable)) environment[kPythonVariable] = "1";
  // What the attempt brings goes before: the spec may ask for other threads, but not for other GPUs.
  for (const auto& [name, value] : attempt.environment)
    if (name != kGpuVariable) environment[name] = value;
  return environment;
}

Json launch_document(const Attempt& attempt, const std::map<std::string, std::string>& environment) {
  Json launch = {{"schema", 1},
                 {"trial", attempt.id.trial},
                 {"attempt", attempt.id.attempt},
                 {"token", attempt.token},
                 {"argv", attempt.argv},
                 {"working_directory", std::filesystem::absolute(attempt.working_directory).string()},
                 {"environment", environment},
                 {"metrics", metric_documents(attempt.metrics)},
                 {"steps_done", attempt.steps_done},
                 {"steps_counted", attempt.steps_counted},
                 {"grace_ms", attempt.grace.count()},
                 {"cpus", Json::array()},
                 {"control", -1},
                 {"leases", Json::array()}};
  if (attempt.time_limit) launch["time_limit_ms"] = attempt.time_limit->count();
  if (attempt.no_output) launch["no_output_ms"] = attempt.no_output->count();
  if (attempt.no_metric_time) launch["no_metric_time_ms"] = attempt.no_metric_time->count();
  launch["quiet_after_ms"] = attempt.quiet_after.count();
  return launch;
}

std::filesystem::path write_files(const Attempt& attempt, const Json& trial, const Json& launch) {
  const std::filesystem::path folder = std::filesystem::absolute(attempt.folder);
  std::error_code error;
  std::filesystem::create_directory(folder / kOutputFolder, error);
  if (error) {
    const std::string message =
        "cannot make \"" + (folder / kOutputFolder).string() + "\": " + error.message();
    if (is_disk_full(error.value())) throw DiskFull(message);
    throw Error(ExitCode::kEnvironment, message);
  }
  std::string trial_text, launch_text;
  try {
    trial_text = trial.dump(2), launch_text = launch.dump();
  } catch (const Json::type_error&) {
    throw Error(
        ExitCode::kEnvironment,
        "cannot write \"" + (folder / kLaunchFile).string() + "\": a path or an argument is not UTF-8",
        "rename the folder, or set a UTF-8 locale and write the spec again");
  }
  write_file_atomically(folder / kTrialFile, trial_text + "\n");
  write_file_atomically(folder / kLaunchFile, launch_text + "\n");
  return folder / kLaunchFile;
}

}  // namespace

std::filesystem::path write_launch_files(const Attempt& attempt, const DeviceShare& share, int channel) {
  std::vector<int> leases;
  for (const Lease& lease : share.leases) leases.push_back(lease.descriptor());
  Json launch = launch_document(attempt, whole_environment(attempt, device_environment(share)));
  launch["cpus"] = share.cores;
  launch["control"] = channel;
  launch["leases"] = leases;
  return write_files(attempt, trial_document(attempt, share.threads, share.processes, share.devices), launch);
}

std::filesystem::path write_launch_files(const Attempt& attempt, const JobShare& share) {
  std::map<std::string, std::string> environment{
      {"OMP_NUM_THREADS", std::to_string(std::max(1, share.threads / share.processes))}};
  if (share.gpus == 0) environment[kGpuVariable] = "";
  if (share.processes * share.nodes > 1) tell_processes(environment, share.processes);
  std::vector<std::string> devices;
  for (int i = 0; i < share.gpus; ++i) devices.push_back(std::to_string(i));
  Attempt placed = attempt;
  // One process on each node: `srun` starts it there, and ends all when one fails.
  if (share.nodes > 1) {
    const std::string nodes = std::to_string(share.nodes);
    // A step does not inherit the cores of a task (Slurm 22.05), and would be bound to one of them.
    placed.argv = {"srun",
                   "--nodes=" + nodes,
                   "--ntasks=" + nodes,
                   "--ntasks-per-node=1",
                   "--cpus-per-task=" + std::to_string(share.threads),
                   "--kill-on-bad-exit=1",
                   "--mpi=none"};
    // Of the other nodes the supervisor, which is on the first one, knows nothing.
    placed.argv.insert(placed.argv.end(), {"sh", "-c", kOnEachNode, "sh"});
    placed.argv.insert(placed.argv.end(), attempt.argv.begin(), attempt.argv.end());
    // By this kind of meeting nobody has to say which node is which.
    environment["PET_NNODES"] = nodes;
    environment["PET_RDZV_BACKEND"] = "c10d";
  }
  Json launch = launch_document(placed, whole_environment(attempt, environment));
  launch["job"] = {{"program_bytes", share.program_bytes}};
  if (share.nodes > 1) launch["job"]["nodes"] = share.nodes;
  if (share.time_left) launch["job"]["time_left_ms"] = share.time_left->count();
  return write_files(attempt, trial_document(attempt, share.threads, share.processes, devices, share.nodes),
                     launch);
}

}  // namespace tune::engine
