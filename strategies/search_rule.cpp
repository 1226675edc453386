#include "strategies/search_rule.h"

#include "strategies/search_view.h"

namespace tune::strategies {

Verdict SearchRule::judge(const TrialView& trial, const History& history) {
  if (trial.replicate_of || trial.role == SearchRole::kRepeat) return {};
  const std::optional<History> view = without_repeats(history);
  return inner_->judge(trial, view ? *view : history);
}

std::optional<RungPlan> SearchRule::rungs(const History& history) const {
  const std::optional<History> view = without_repeats(history);
  return inner_->rungs(view ? *view : history);
}

}  // namespace tune::strategies
