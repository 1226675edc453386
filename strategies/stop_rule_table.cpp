#include <functional>

#include "strategies/median_rule.h"
#include "strategies/stop_rule.h"
#include "tuner/core/error.h"

namespace tune::strategies {
namespace {

class NoRule final : public StopRule {
 public:
  Verdict judge(const TrialView&, const History&) override { return {}; }
};

}  // namespace

const std::vector<StopRuleEntry>& stop_rule_table() {
  static const std::vector<StopRuleEntry> table{
      {"none", "let every trial run to its end"},
      {"median",
       "stop a trial that has reached less than the median of what earlier trials had by that step"},
      {"median_running_average",
       "stop a trial whose newest value is worse than the median of the earlier trials' running averages"},
  };
  return table;
}

std::unique_ptr<StopRule> make_stop_rule(const EarlyStopping& spec, const Objective& objective) {
  if (spec.rule == "none") return std::make_unique<NoRule>();
  if (spec.rule == "median")
    return std::make_unique<MedianRule>(MedianRule::Measure::kReached, spec, objective);
  if (spec.rule == "median_running_average")
    return std::make_unique<MedianRule>(MedianRule::Measure::kRunningAverage, spec, objective);
  std::string names;
  for (const StopRuleEntry& entry : stop_rule_table())
    names += std::string(names.empty() ? "" : ", ") + entry.name;
  throw Error(ExitCode::kBadSpec, "early_stopping.rule: there is no rule \"" + spec.rule + "\"",
              "take one of: " + names);
}

}  // namespace tune::strategies
