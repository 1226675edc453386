#include "tuner/engine/loop/completion.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/plural_text.h"

namespace tune::engine {

Completion::Completion(const Limits& limits, const Objective& objective, std::vector<store::TrialRow> trials)
    : limits_(limits), objective_(objective) {
  std::erase_if(trials, [](const store::TrialRow& trial) {
    return !trial.ended || trial.facts.replicate_of || trial.facts.rerun_of;
  });
  std::stable_sort(trials.begin(), trials.end(),
                   [](const store::TrialRow& a, const store::TrialRow& b) { return *a.ended < *b.ended; });
  for (const store::TrialRow& trial : trials)
    on_end(trial.state, trial.values.empty() ? std::nullopt : std::optional(trial.values.front()));
}

void Completion::on_end(TrialState state, std::optional<double> value) {
  if (state != TrialState::kCompleted && state != TrialState::kStopped) return;
  const bool is_best =
      state == TrialState::kCompleted && value && (!best_ || is_better(*value, *best_, objective_.goal));
  if (is_best) best_ = value;
  if (!value) return;  // it never ran
  since_best_ = is_best || !best_ ? 0 : since_best_ + 1;
  if (is_best) converged_ = 0;
}

void Completion::on_suggestion(const strategies::Suggestion& suggestion) {
  if (!limits_.convergence || !best_ || suggestion.resume_trial) return;
  const bool is_small =
      suggestion.expected_gain && *suggestion.expected_gain < *limits_.convergence * std::abs(*best_);
  converged_ = is_small ? converged_ + 1 : 0;
}

std::optional<store::StudyEnd> Completion::reached() const {
  if (!best_) return std::nullopt;
  if (limits_.target && !is_better(*limits_.target, *best_, objective_.goal)) return store::StudyEnd::kTarget;
  if (limits_.no_improvement && since_best_ >= *limits_.no_improvement)
    return store::StudyEnd::kNoImprovement;
  if (limits_.convergence && converged_ >= kConverged) return store::StudyEnd::kConvergence;
  return std::nullopt;
}

std::string Completion::sentence() const {
  const std::string best = objective_.metric + ' ' + shortest(best_.value_or(0));
  switch (reached().value_or(store::StudyEnd::kTrialLimit)) {
    case store::StudyEnd::kTarget:
      return "limits.target is reached: " + best + ", the target is " + shortest(*limits_.target);
    case store::StudyEnd::kNoImprovement:
      return plural_text(since_best_, "trial") + " in a row brought nothing better than " + best +
             " (limits.no_improvement)";
    case store::StudyEnd::kConvergence:
      return "the search has converged: " + std::to_string(kConverged) +
             " suggestions in a row were expected to improve " + best + " by less than " +
             shortest(*limits_.convergence * 100) + " % (limits.convergence)";
    default:
      return {};
  }
}

bool was_repeating(const store::StudyRow& study, const std::vector<store::TrialRow>& trials) {
  const bool had_ended = store::study_end_in(study.finish_reason).has_value();
  return !had_ended && !trials.empty() && trials.back().facts.replicate_of.has_value();
}

}  // namespace tune::engine
