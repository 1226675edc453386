#pragma once
// A trial whose attempt runs.
#include <cstdint>
#include <optional>
#include <string>

#include "store/study_store.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/clock.h"
#include "tuner/engine/attempt/attempt_files.h"

namespace tune::engine {

struct RunningTrial {
  store::TrialRow trial;
  store::AttemptRow attempt;
  SteadyTime started;
  SteadyTime read_at;              // metrics are not read before
  bool grown = false;              // since they were read
  bool stopping = false;           // the rule's verdict was sent; the attempt's reason is that verdict
  bool adopted = false;            // an earlier run of the loop started it
  UnreadLines unread = {};         // of the objective
  UnreadLines second_unread = {};  // of the second one
  std::optional<Milliseconds> heartbeat = {};   // absent: nothing is heard of its supervisor anyway
  SteadyTime::duration unheard{0};              // how long nothing was heard while the loop listened
  std::string ended_unheard = {};               // why it was ended for that
  bool was_quiet = false;                       // and that was said
  bool said_dropped = false;                    // lines of another attempt were found, and that was said
  std::string verdict_brief = {};               // the rule's verdict in few words
  std::optional<std::int64_t> paused_at = {};   // of a trial that goes on: the objective's last step before
  std::optional<std::int64_t> first_step = {};  // of the objective, that this attempt has printed
  std::string stopped_by = {};            // the reason, where a person stopped it while it was being paused
  bool waits = false;                     // for its turn on a cluster: it holds no devices yet
  std::optional<Milliseconds> held = {};  // its devices, where its runner knows that better than its files
  std::string pausing_trouble = {};       // why it had better not have been paused

  AttemptId id() const { return {attempt.trial, attempt.attempt}; }
};

}  // namespace tune::engine
