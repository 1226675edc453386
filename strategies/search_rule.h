#pragma once
// Keeps out of any stop rule what is no part of the search.
#include <memory>
#include <utility>

#include "strategies/stop_rule.h"

namespace tune::strategies {

// Replicates run to their ends, since a mean over some seeds' whole trainings is what they are for, and no
// trial is compared with them, since they are the best trials again. So it is with repeats: they are to go as
// far as the trials that they repeat. Owns the inner rule.
class SearchRule final : public StopRule {
 public:
  explicit SearchRule(std::unique_ptr<StopRule> inner) : inner_(std::move(inner)) {}
  Verdict judge(const TrialView& trial, const History& history) override;
  std::optional<RungPlan> rungs(const History& history) const override;

 private:
  std::unique_ptr<StopRule> inner_;
};

}  // namespace tune::strategies
