#pragma once
// The contract of early-stopping rules.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/json.h"
#include "tuner/core/search_settings.h"

namespace tune::strategies {

enum class Action { kGoOn, kStop, kPause };
struct Verdict {
  Action action = Action::kGoOn;
  std::string reason;  // never empty unless kGoOn
  // The same for a line of a log: "at step 3: loss 0.21, median of 3 trials 0.17".
  std::string brief = {};
  // What was compared, for programs: {"step": 3, "value": 0.21, "median": 0.17, "trials": 3}.
  Json compared = Json::object();
};

// Where a rule compares trials.
struct RungPlan {
  std::vector<std::int64_t> steps;  // ascending; empty where trainings are too short for any
  std::int64_t full_steps = 0;      // of a full training
  std::string text;                 // for people: "rungs at steps 3 and 9 of 27: ..."
};

// Says whether a running trial goes on. Owned by the engine, called on its thread. Stops nothing itself.
class StopRule {
 public:
  virtual ~StopRule() = default;
  // Judges a running trial after its newest objective point, trial.curve.back(). A pure function of its
  // arguments; the trial itself may or may not be in the history.
  virtual Verdict judge(const TrialView& trial, const History& history) = 0;
  // The rungs as they follow from the history; nullopt for a rule without any, and while they are not known.
  virtual std::optional<RungPlan> rungs(const History&) const { return std::nullopt; }
};

struct StopRuleEntry {
  const char* name;
  const char* description;
};
const std::vector<StopRuleEntry>& stop_rule_table();
// Throws Error(kBadSpec) for a rule that is not in the table.
std::unique_ptr<StopRule> make_stop_rule(const EarlyStopping& spec, const Objective& objective);

}  // namespace tune::strategies
