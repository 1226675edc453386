#pragma once
// What the end of an attempt means for its trial. Pure functions.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/engine/attempt/attempt_files.h"
#include "tuner/engine/attempt/fault.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Class of the failure of an attempt whose log tells of a broken device.
inline constexpr const char* kBrokenDevice = "device";
// Of one that was ended by a cluster, or another's signal, before it had saved anything to go on from.
inline constexpr const char* kTakenAway = "terminated";
// Of one on several nodes, one of which does not see the attempt's files.
inline constexpr const char* kBlindNode = "node";

struct AttemptOutcome {
  TrialState state = TrialState::kFailed;  // kQueued: the trial runs again
  std::string reason;
  std::string failure;  // class, when failed
  // The reduced objective of a completed, stopped or paused trial, and the second one: of one that was
  // stopped or paused only where the program has printed it.
  std::optional<double> value;
  std::string cut = {};  // of a completed trial: the limit that cut it short
  std::optional<Fault> fault =
      {};  // why a trial runs again that was not started, or ended for no fault of its own
  std::optional<double> second = {};
  std::string retried = {};  // of a trial that runs again: class of the failure, if its attempt has failed

  // As a trial's row has them.
  std::vector<double> values() const;
};

// The second objective of an attempt that has ended.
struct SecondEnd {
  const Objective& objective;
  const std::vector<MetricPoint>& curve;
  UnreadLines unread = {};
  // Of kDeviceSeconds, for which there is no curve: for how long the trial's attempts have held their
  // devices.
  double lease_seconds = 0;
};

struct AttemptEnd {
  const std::optional<ExitReport>& report;  // absent: the supervisor died
  const Objective& objective;
  const std::vector<MetricPoint>& curve;  // the objective's, steps ascending
  bool builtin_trainer = false;           // its exit codes 65, 75 and 76 are believed
  int losses_before = 0;                  // attempts that the machine has ended
  bool is_orphan = false;                 // the orchestrator that started it has died
  std::string verdict;                    // of the stop rule, if one asked for the stop
  std::string last_output;                // the log's last line
  std::string spoilt = {};                // why its files cannot be read, when the trainer replaced them
  UnreadLines unread = {};                // of the objective, in this attempt
  std::string log_end = {};               // the log's last kilobytes
  OnTrialTime on_trial_time = OnTrialTime::kComplete;
  std::string unheard = {};                  // why its supervisor was ended, when it gave no sign of life
  int most_losses = Retry{}.infrastructure;  // with so many the trial fails
  std::optional<SecondEnd> second = std::nullopt;
  bool has_saved = false;  // it has left a checkpoint of its own to go on from
};

AttemptOutcome classify(const AttemptEnd& end);

// Whether a log's end says that its program ran out of memory, on a GPU or beside it.
bool tells_of_lack_of_memory(std::string_view log_end);
// Whether it says that a GPU is broken or taken, which no hyperparameter brings about.
bool tells_of_broken_device(std::string_view log_end);

// "signal 11 (Segmentation fault)".
std::string signal_text(int signal);

}  // namespace tune::engine
