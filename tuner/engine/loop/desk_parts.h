#pragma once
// What the desk and those who follow metrics and ends share of a study.
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "store/study_store.h"
#include "strategies/stop_rule.h"
#include "tuner/core/clock.h"
#include "tuner/core/json.h"
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

}  // namespace tune::engine
