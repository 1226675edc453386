#pragma once
// A TrialRunner without processes: attempts follow a script, and waiting turns the hands of a manual clock.
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/engine/attempt/trial_runner.h"

namespace tune::tests {

// What an attempt does when nobody stops it.
struct Behaviour {
  struct Line {
    Milliseconds at{0};  // after the start
    std::string name = "loss";
    double value = 0;
    std::int64_t step = 1;
    bool foreign = false;                 // carries another attempt's token
    std::string unread = {};              // in place of a value: what was captured
    std::string about = {}, notice = {};  // in place of a value: what is said of the metric
  };
  std::vector<Line> lines;
  Milliseconds lasts{100};
  int exit_code = 0;
  int signal = 0;               // instead of an exit code
  bool without_report = false;  // the supervisor dies: no exit.json
  bool hangs = false;           // never ends by itself
  bool ignores_term = false;    // ends by SIGKILL after the grace only
  bool is_stuck = false;        // and not even by that
  int cut_lines = 0;
  int start_error = 0;  // errno: the supervisor could not start the trainer
  std::string log;      // what it prints
  Milliseconds supervisor_silent_after = std::chrono::hours(10'000);  // no sign of life from then on
  std::optional<Milliseconds> quiet_at = {};  // when its supervisor tells of a long silence
  engine::MemoryUse memory = {};              // what is measured of it
};

// Used on one thread but for wake(). Keeps metrics.jsonl and exit.json as tune-supervisor does.
class FakeRunner final : public engine::TrialRunner {
 public:
  using Script = std::function<Behaviour(const engine::Attempt&)>;
  FakeRunner(ManualClock& clock, int slots, Script script);

  engine::AttemptRecord start(const engine::Attempt& attempt) override;
  bool attach(const engine::AttemptRecord& record) override;
  engine::Capacity capacity() override;
  bool has_room(std::optional<std::uint64_t> memory) override { return !room || room(memory); }
  bool outlives() const override { return lives_on; }
  std::vector<std::string> lost_devices(const std::vector<std::string>&) override { return lost; }
  engine::RunnerEvent wait(SteadyTime deadline) override;
  void stop(AttemptId id, Milliseconds grace, StopReason reason) override;
  void wake() override { woken_ = true; }

  // Ends everything as the death of the orchestrator does. `report` says whether an attempt's supervisor
  // still writes exit.json.
  void orchestrator_dies(const std::function<bool(AttemptId)>& report);

  std::function<bool(std::optional<std::uint64_t>)> room;  // whether so much memory is free; absent: always
  std::function<void()> before_wait;  // a test looks at the world, or throws to play a crash
  std::function<void(const engine::Attempt&)> on_start;  // may throw tune::Error
  std::function<void(AttemptId)> on_exit;                // its files are written, and kExited follows
  std::set<AttemptId> attachable;  // what attach() finds alive; they end with the stop "lost" a second later
  std::vector<std::string> notices;       // of capacity()
  std::string start_notice;               // of every attempt's record
  std::string problem;                    // of capacity()
  bool lives_on = false;                  // its attempts outlive the loop
  std::vector<std::string> lost;          // devices
  std::optional<Milliseconds> heartbeat;  // supervisors give a sign of life so often
  std::vector<std::string> devices;       // of every attempt
  int live() const { return static_cast<int>(live_.size()); }
  std::vector<engine::Attempt> started;  // in order
  std::vector<std::pair<AttemptId, StopReason>> stops;

 private:
  struct Live {
    std::filesystem::path folder;
    std::string token;
    Behaviour behaviour;
    SteadyTime began;
    std::size_t next_line = 0;
    SteadyTime next_beat = SteadyTime::max();
    bool told_quiet = false;
    SteadyTime ends;
    int exit_code = 0, signal = 0;
    std::optional<StopReason> stop;
  };
  static SteadyTime next_line(const Live& live);
  void append_line(Live& live);
  void write_exit(const Live& live, SteadyTime now) const;

  ManualClock& clock_;
  const int slots_;
  const Script script_;
  std::map<AttemptId, Live> live_;
  std::atomic<bool> woken_{false};
};

}  // namespace tune::tests
