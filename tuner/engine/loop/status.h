#pragma once
// What the engine tells people while it works.
#include <optional>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/clock.h"
#include "tuner/core/history.h"

namespace tune::engine {

enum class StatusKind {
  kStudyStarted,  // message: "8 trials, 2 at once" or "continues: 3 of 8 trials done"
  kTrialQueued,   // a suggestion was taken; message = the strategy's note
  kAttemptStarted,
  kMetric,           // a new point of any metric
  kTrialFinished,    // completed, stopped, failed; message = reason
  kAttemptRequeued,  // will run again; message = reason
  kBest,             // a new best trial; of two objectives, one of the front
  kNotice,           // anything a person should know
  kBudget,           // most of a limit is taken, or all of it: about = the limit, value = the share
  kRequest,          // a person asked for something from another terminal; message = who, and what was done
  kDraining,         // a first signal arrived
  kPromotion,        // message = what was decided and why
  kStudyFinished,
};
// Its name in the store and in JSON: "trial_finished".
const char* event_kind(StatusKind kind);

// Only the fields that the kind needs are set.
struct StatusEvent {
  StatusKind kind = StatusKind::kNotice;
  std::int64_t id = 0;  // row id in the store's events; 0 for what is not stored (metrics)
  WallTime time;
  int trial = 0, attempt = 0;
  TrialState state = TrialState::kQueued;
  std::string metric;        // of a point, or what a notice is about
  std::string about;         // of a notice that is said once: what kind it is
  std::string request = {};  // its id
  MetricPoint point;
  std::optional<double> value;  // the objective of a finished trial
  std::vector<std::string> devices;
  ParameterSet parameters;
  std::string message;
  // The message in few words, and what a strategy has chosen (Suggestion::choice), for displays: neither is
  // stored nor in JSON.
  std::string brief = {};
  std::string choice = {}, choice_reason = {};
  std::optional<int> replicate_of = {};     // of a trial that is queued or has finished
  std::optional<int> rerun_of = {};         // of a trial that is started or has finished
  std::optional<double> second_value = {};  // where there are two objectives
  std::optional<Json> limits = {};          // of a request: those in force from now on, where it set any
};

// What a row of a study's events tells a display; nullopt for kinds that none shows. Throws std::exception
// for data that this program never writes.
std::optional<StatusEvent> stored_event(const store::EventRow& row);

// What has become of an attempt.
StatusEvent event_of(AttemptId attempt, StatusKind kind, std::string message = {});

// Who shows a study to people or programs. Owned by the command that runs the study. Decides nothing.
class Status {
 public:
  virtual ~Status() = default;
  virtual void on_event(const StatusEvent& event) = 0;  // on the loop's thread; must not block
  virtual void on_tick(SteadyTime) {}  // about 4 times a second while waiting, for live displays
};

}  // namespace tune::engine
