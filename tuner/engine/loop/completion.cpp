#include "tuner/engine/loop/completion.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/quantile.h"

namespace tune::engine {

Completion::Completion(const Limits& limits, const Objective& objective, std::vector<store::TrialRow> trials,
                       const std::vector<store::AttemptRow>& attempts, const std::optional<Objective>& second)
    : limits_(limits), objective_(objective), is_pair_(second.has_value()), best_(objective, second) {
  std::map<int, const store::AttemptRow*> last;
  for (const store::AttemptRow& attempt : attempts) last[attempt.trial] = &attempt;
  // What ends an attempt and its trial at once gives both the same reason.
  const auto was_given_up = [&](const store::TrialRow& trial) {
    const auto attempt = last.find(trial.number);
    return trial.state == TrialState::kStopped && attempt != last.end() &&
           attempt->second->reason != trial.reason;
  };
  std::erase_if(trials, [&](const store::TrialRow& trial) {
    return !trial.ended || trial.facts.replicate_of || trial.facts.rerun_of || was_given_up(trial);
  });
  std::stable_sort(trials.begin(), trials.end(),
                   [](const store::TrialRow& a, const store::TrialRow& b) { return *a.ended < *b.ended; });
  for (const store::TrialRow& trial : trials) on_end(trial.state, trial.values);
}

void Completion::on_end(TrialState state, const std::vector<double>& values) {
  if (state != TrialState::kCompleted && state != TrialState::kStopped) return;
  const bool is_best = state == TrialState::kCompleted && best_.is_improved_by(values);
  if (is_best) best_.add(values);
  if (state == TrialState::kCompleted && !values.empty() && std::isfinite(values[0]))
    completed_.push_back(values[0]);
  if (values.empty()) return;  // it never ran
  since_best_ = is_best || best_.is_empty() ? 0 : since_best_ + 1;
  if (is_best) converged_ = 0;
}

// Of two objectives the gain is a part already. Of a best value near 0 a part says nothing: it counts as no
// less than kLeastWhole of what lies between it and the median.
double Completion::whole() const {
  if (is_pair_) return 1;
  constexpr double kLeastWhole = 0.01;
  const double best = *best_.best(), spread = std::abs(median(completed_) - best);
  return std::max(std::abs(best), std::isfinite(spread) ? kLeastWhole * spread : 0);
}

void Completion::on_suggestion(const strategies::Suggestion& suggestion) {
  if (!limits_.convergence || best_.is_empty() || suggestion.resume_trial) return;
  const bool is_small =
      suggestion.expected_gain && *suggestion.expected_gain < *limits_.convergence * whole();
  converged_ = is_small ? converged_ + 1 : 0;
}

std::optional<store::StudyEnd> Completion::reached() const {
  if (best_.is_empty()) return std::nullopt;
  if (limits_.target && !is_pair_ && !is_better(*limits_.target, *best_.best(), objective_.goal))
    return store::StudyEnd::kTarget;
  if (limits_.no_improvement && since_best_ >= *limits_.no_improvement)
    return store::StudyEnd::kNoImprovement;
  if (limits_.convergence && converged_ >= kConverged) return store::StudyEnd::kConvergence;
  return std::nullopt;
}

store::StudyEnd Completion::end_of_search(bool has_room_for_trials) const {
  return reached().value_or(has_room_for_trials ? store::StudyEnd::kSpaceExhausted
                                                : store::StudyEnd::kTrialLimit);
}

std::string Completion::sentence() const {
  const std::string best =
      is_pair_ ? "what the front dominates" : objective_.metric + ' ' + shortest(best_.best().value_or(0));
  switch (reached().value_or(store::StudyEnd::kTrialLimit)) {
    case store::StudyEnd::kTarget:
      return "limits.target is reached: " + best + ", the target is " + shortest(*limits_.target);
    case store::StudyEnd::kNoImprovement:
      return plural_text(since_best_, "trial") + " in a row brought nothing " +
             (is_pair_ ? "that is new to the front" : "better than " + best) + " (limits.no_improvement)";
    case store::StudyEnd::kConvergence:
      return "the search has converged: " + std::to_string(kConverged) +
             " suggestions in a row were expected to " + (is_pair_ ? "enlarge " : "improve ") + best +
             " by less than " + shortest(*limits_.convergence * 100) + " % (limits.convergence)";
    default:
      return {};
  }
}

StopReason stop_for(store::StudyEnd limit) {
  switch (limit) {
    case store::StudyEnd::kTimeLimit:
      return StopReason::kTimeLimit;
    case store::StudyEnd::kDeviceTimeLimit:
      return StopReason::kDeviceTimeLimit;
    case store::StudyEnd::kCostLimit:
      return StopReason::kCostLimit;
    case store::StudyEnd::kTarget:
      return StopReason::kTarget;
    case store::StudyEnd::kTrialLimit:
    case store::StudyEnd::kSpaceExhausted:
    case store::StudyEnd::kNoImprovement:
    case store::StudyEnd::kConvergence:
      break;
  }
  broken_invariant("a limit that stops what runs", __FILE__, __LINE__);
}

bool had_converged(const store::StudyRow& study) {
  const bool had_ended = store::study_end_in(study.finish_reason).has_value();
  return !had_ended && study.facts.search_end == to_string(store::StudyEnd::kConvergence);
}

void check_limits(const Limits& limits, const Spec& spec) {
  if (const auto problem = convergence_problem(limits, spec.strategy))
    throw Error(ExitCode::kUsage, "limits.convergence: " + problem->message, problem->hint);
  if (spec.second_objective && limits.target)
    throw Error(ExitCode::kUsage, "a target is of one objective, and the study has two",
                "limit --no-improvement: so many trials in a row that were not on the front");
}

}  // namespace tune::engine
