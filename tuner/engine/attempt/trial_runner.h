#pragma once
// How attempts run: the seam between the engine's loop and processes.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/clock.h"
#include "tuner/core/json.h"
#include "tuner/core/metric_definition.h"
#include "tuner/core/stop_reason.h"
#include "tuner/engine/devices/capacity.h"
#include "tuner/engine/devices/memory_use.h"

namespace tune::engine {

// All that a runner needs to start one process run of a trial. The runner adds what it alone knows (devices,
// threads) to `trial_json`, writes trial.json and launch.json into `folder`, and starts tune-supervisor.
struct Attempt {
  AttemptId id;
  std::string token;                                      // random; fences this attempt's reports
  std::filesystem::path folder;                           // .../trials/N/attempts/K, exists
  std::filesystem::path checkpoint_folder;                // .../trials/N/checkpoints, exists
  std::vector<std::string> argv;                          // {{...}} already replaced
  std::filesystem::path working_directory;                // the spec's folder
  std::map<std::string, std::string> environment;         // written to launch.json
  std::map<std::string, std::string> secret_environment;  // passed in memory only, never written
  Json trial_json;  // the contract of trial.json without devices and threads
  std::vector<MetricDefinition> metrics;
  std::map<std::string, std::int64_t> steps_done;  // by metric: where counted steps continue after a resume
  std::set<std::string> steps_counted = {};        // metrics whose captured steps the attempt before gave up
  Milliseconds grace{10'000};                      // between SIGTERM and SIGKILL
  std::optional<Milliseconds>
      time_limit;  // the supervisor stops the attempt by itself after this, reason "timeout"
  // Silences after which it does so too, reasons "no output" and "no metric".
  std::optional<Milliseconds> no_output, no_metric_time;
  Milliseconds quiet_after{600'000};  // a silence this long, and three times as long as any before, is told
  // What it takes of each GPU's memory at most, in bytes, where trials share GPUs by memory; absent: nobody
  // knows, and it has them to itself.
  std::optional<std::uint64_t> memory = {};
};

// What is known of a started attempt; enough to find it again after a crash. Stored.
struct AttemptRecord {
  AttemptId id;
  std::string token;
  std::filesystem::path folder;
  std::int64_t supervisor_pid = 0;
  std::uint64_t supervisor_start_time = 0;  // field 22 of /proc/PID/stat, clock ticks since boot
  std::string boot_id;                      // /proc/sys/kernel/random/boot_id
  std::vector<std::string> devices;         // GPU UUIDs; empty on the CPU
  int threads = 1;
  // How often at least the runner hears of a supervisor that lives; absent where it hears nothing (not
  // stored).
  std::optional<Milliseconds> heartbeat = {};
  // A sentence about what it runs on that is worth showing once (not stored); empty for none.
  std::string notice = {};
  // It waits for its turn on a cluster: kBegan follows, and until then it holds no devices (not stored).
  bool waits = false;
};

// What becomes known of an attempt when its turn has come.
struct JobBegin {
  WallTime since{};
  std::vector<std::string> devices;
  std::string job;  // "812_3 on n1"
};

enum class RunnerEventKind {
  kBegan,     // the attempt, which waited on a cluster, runs
  kProgress,  // metrics.jsonl or log of `id` has grown
  kAlive,     // the supervisor of `id` lives
  kQuiet,     // the trainer of `id` has printed nothing for long
  kNoMetric,  // its output has given no metric for long
  kExited,    // the whole process tree of `id` is gone; exit.json is there unless the supervisor died
  kWoken,     // wake() was called, or a slot may have become free
  kDeadline,  // nothing happened until the deadline
};
struct RunnerEvent {
  RunnerEventKind kind = RunnerEventKind::kDeadline;
  AttemptId id;
  MemoryUse memory = {};                  // with kExited
  std::optional<JobBegin> begin = {};     // with kBegan
  std::optional<Milliseconds> held = {};  // with kExited: for how long it held its devices, if that is known
  std::string loss = {};                  // with kExited: why there is no exit.json, if that is known
};

// Owned by the engine, called from the loop's thread only, except wake().
class TrialRunner {
 public:
  virtual ~TrialRunner() = default;
  // Starts the attempt and returns once its supervisor exists. Throws Error(kEnvironment) if none could be
  // started, and Error(kConflict) when capacity() has gone to somebody else in between.
  virtual AttemptRecord start(const Attempt& attempt) = 0;
  // Takes up an attempt that an earlier orchestrator started. False when nothing of it runs any more (then no
  // event follows, and its files tell what happened).
  virtual bool attach(const AttemptRecord& record) = 0;
  virtual Capacity capacity() = 0;
  // Whether an attempt that takes so much memory (see Attempt) could be started now, if there is a slot.
  virtual bool has_room(std::optional<std::uint64_t>) { return true; }
  // Whether attempts go on when the orchestrator ends.
  virtual bool outlives() const { return false; }
  // Sentences for people that have come up since the last call.
  virtual std::vector<std::string> take_notices() { return {}; }
  // So many attempts at once from now on, as far as there are devices; what runs goes on.
  virtual void set_parallel(int) {}
  // Those of an attempt's devices that do not answer any more.
  virtual std::vector<std::string> lost_devices(const std::vector<std::string>& devices) = 0;
  // Blocks until something happens or `deadline` passes. One event a call, in order of arrival.
  virtual RunnerEvent wait(SteadyTime deadline) = 0;
  // Asks the tree to end: SIGTERM now, SIGKILL after `grace` (0: at once). `reason` goes to exit.json
  // ("stop"). kExited follows. Harmless for an attempt that has ended.
  virtual void stop(AttemptId id, Milliseconds grace, StopReason reason) = 0;
  // Makes wait() return kWoken. Async-signal-safe and thread-safe.
  virtual void wake() = 0;
};

}  // namespace tune::engine
