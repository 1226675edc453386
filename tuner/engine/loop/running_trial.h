#pragma once
// A trial whose attempt runs, and what the desk and those who follow metrics and ends share of a study.
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "store/study_store.h"
#include "strategies/stop_rule.h"
#include "tuner/core/clock.h"
#include "tuner/engine/attempt/attempt_files.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/engine/attempt/fault.h"
#include "tuner/engine/attempt/trial_runner.h"
#include "tuner/engine/loop/history_book.h"
#include "tuner/engine/loop/journal.h"

namespace tune::engine {

// The trials that had begun before the space was last amended, and what they had of parameters that came
// later.
struct AmendedFrom {
  int trials = 0;
  std::map<std::string, Json> assumed = {};
};
inline AmendedFrom amended_from(const store::StudyFacts& facts) {
  if (facts.amendments.empty()) return {};
  return {facts.amendments.back().trials, facts.amendments.back().assumed};
}

// All of it is used on the loop's thread, and lives as long as the loop.
struct DeskParts {
  StudyFrame frame;
  store::StudyStore& store;
  strategies::StopRule& stop_rule;
  TrialRunner& runner;
  const Clock& clock;
  Status& status;
  Journal& journal;
  HistoryBook& book;
  // What has become of the set-up since the run began, asked when a trial has failed; empty: nobody knows.
  std::function<std::optional<Fault>()> set_up_fault = {};
  AmendedFrom amended = {};
};

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
  std::string stopped_by = {};       // the reason, where a person stopped it while it was being paused
  std::string pausing_trouble = {};  // why it had better not have been paused
};

}  // namespace tune::engine
