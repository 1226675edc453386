#pragma once
// The loop of one study: asks the strategy, has attempts started and followed, ends at a limit, at exhaustion
// or by a person. It promotes nothing.
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "strategies/stop_rule.h"
#include "strategies/strategy.h"
#include "tuner/core/clock.h"
#include "tuner/engine/attempt/fault.h"
#include "tuner/engine/attempt/trial_runner.h"
#include "tuner/engine/loop/pause.h"
#include "tuner/engine/loop/status.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Signals of a person or the system, set from a signal handler: 1 drains, 2 or more kills.
struct Interruption {
  std::atomic<int> count{0};
};

// kPaused: the set-up or the machine is at fault, and somebody has to look; the same command goes on.
enum class Outcome { kFinished, kInterrupted, kPaused };

struct StudyResult {
  Outcome outcome = Outcome::kFinished;
  std::string reason;  // "trial limit", "time limit", "space exhausted", "interrupted", ...
  int completed = 0, stopped = 0, failed = 0;
  std::optional<int> best_trial;
  std::optional<Pause> pause = {};  // of kPaused
};

// With what the history counts and has for the best.
StudyResult result_of(const History& history, Outcome outcome, std::string reason);

// Runs one study until a limit, exhaustion, an interruption or a pause. Owns nothing: everything is passed
// in, so that tests run it with a fake runner, a manual clock and a store in memory.
class StudyLoop {
 public:
  struct Parts {
    const Spec& spec;
    std::filesystem::path study_folder;  // STORE/STUDY
    store::StudyStore& store;            // opened for writing, study row created
    strategies::Strategy& strategy;
    strategies::StopRule& stop_rule;
    TrialRunner& runner;
    const Clock& clock;
    Status& status;
    Interruption& interruption;
    // How long the loop waits in place for a suggestion before it goes back to its events. A fast strategy
    // then costs no wake; a simulation sets it high, so that real time decides nothing.
    Milliseconds patience{2};
    // What has become of the set-up since the run began (see DeskParts).
    std::function<std::optional<Fault>()> set_up_fault = {};
    // The search had converged before, and nobody has asked for more of it: only replicates are to come.
    bool has_converged = false;
    // When this process took up the study: a stop that was asked for before is refused. Absent: it does now.
    std::optional<WallTime> began = {};
    // Where `trials/` lies that the attempts' machines see; empty: in the study's folder.
    std::filesystem::path work_folder = {};
    // A signal ends the loop and leaves alone what can go on without it. A request to stop stops it all the
    // same.
    bool leaves = false;
  };
  explicit StudyLoop(const Parts& parts);
  ~StudyLoop();
  StudyResult run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tune::engine
