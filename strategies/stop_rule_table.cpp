#include <utility>

#include "strategies/median_rule.h"
#include "strategies/prediction_rule.h"
#include "strategies/search_rule.h"
#include "strategies/stop_rule.h"
#include "strategies/successive_halving_rule.h"
#include "tuner/core/error.h"

namespace tune::strategies {
namespace {

class NoRule final : public StopRule {
 public:
  Verdict judge(const TrialView&, const History&) override { return {}; }
};

using Settings = EarlyStopping;

struct RuleMaker {
  StopRuleEntry entry;
  std::unique_ptr<StopRule> (*make)(const Settings&, const Objective&);
};

std::unique_ptr<StopRule> halving(const Settings& spec, const Objective& objective) {
  return std::make_unique<SuccessiveHalvingRule>(spec, objective);
}

const std::vector<RuleMaker>& rule_makers() {
  static const std::vector<RuleMaker> table{
      {{"none", "let every trial run to its end"},
       [](const Settings&, const Objective&) -> std::unique_ptr<StopRule> {
         return std::make_unique<NoRule>();
       }},
      {{"auto",
        "asha; where it stops trials, only at the rungs where their order tells something about their ends, "
        "which some trials run through to show"},
       &halving},
      {{"median",
        "stop a trial that has reached less than the median of what earlier trials had by that step"},
       [](const Settings& spec, const Objective& objective) -> std::unique_ptr<StopRule> {
         return std::make_unique<MedianRule>(MedianRule::Measure::kReached, spec, objective);
       }},
      {{"median_running_average",
        "stop a trial whose newest value is worse than the median of the earlier trials' running averages"},
       [](const Settings& spec, const Objective& objective) -> std::unique_ptr<StopRule> {
         return std::make_unique<MedianRule>(MedianRule::Measure::kRunningAverage, spec, objective);
       }},
      {{"asha",
        "at each rung, a fraction of the training, the best third goes on; the others are stopped, or wait "
        "with "
        "their checkpoints"},
       &halving},
      {{"hyperband", "asha with brackets: some trials meet only the later rungs, and some none"}, &halving},
      {{"prediction",
        "stop a trial that will hardly end better than the best so far, as completed trials went"},
       [](const Settings& spec, const Objective& objective) -> std::unique_ptr<StopRule> {
         return std::make_unique<PredictionRule>(spec, objective);
       }},
  };
  return table;
}

}  // namespace

const std::vector<StopRuleEntry>& stop_rule_table() {
  static const std::vector<StopRuleEntry> table = [] {
    std::vector<StopRuleEntry> entries;
    for (const RuleMaker& maker : rule_makers()) entries.push_back(maker.entry);
    return entries;
  }();
  return table;
}

std::unique_ptr<StopRule> make_stop_rule(const EarlyStopping& spec, const Objective& objective) {
  std::string names;
  for (const RuleMaker& maker : rule_makers()) {
    if (spec.rule == maker.entry.name) {
      auto rule = maker.make(spec, objective);
      if (spec.rule == "none") return rule;  // looks at nothing
      return std::make_unique<SearchRule>(std::move(rule));
    }
    names += std::string(names.empty() ? "" : ", ") + maker.entry.name;
  }
  throw Error(ExitCode::kBadSpec, "early_stopping.rule: there is no rule \"" + spec.rule + "\"",
              "take one of: " + names);
}

}  // namespace tune::strategies
