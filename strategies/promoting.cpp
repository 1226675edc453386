#include "strategies/promoting.h"

#include <algorithm>
#include <cmath>

#include "strategies/curve_standing.h"

namespace tune::strategies {

std::vector<Promoting::Candidate> Promoting::candidates(const History& history) const {
  const Goal goal = rungs_.objective().goal;
  std::vector<Candidate> found;
  for (const auto& trial : history.trials) {
    if (trial->state != TrialState::kPaused) continue;
    const std::vector<std::int64_t> steps = rungs_.steps_of(*trial, history);
    const auto rung = Rungs::reached_rung(trial->curve, steps);
    if (!rung) continue;
    const auto value = reached_by(trial->curve, steps[*rung], rungs_.objective());
    if (!value || !std::isfinite(*value)) continue;
    Candidate candidate{{trial.get(), *value}, *rung, steps[*rung], 1, 1, true};
    for (const Rungs::Standing& other : rungs_.others_at(*rung, *trial, history)) {
      ++candidate.count;
      if (!std::isfinite(other.value)) continue;
      candidate.place += is_better(other.value, *value, goal);
      if (other.trial->state == TrialState::kCompleted && !is_better(*value, other.value, goal))
        candidate.leads_completed = false;
    }
    found.push_back(candidate);
  }
  // The highest rung first, and there the best, the earliest of equals.
  std::stable_sort(found.begin(), found.end(), [goal](const Candidate& a, const Candidate& b) {
    if (a.rung != b.rung) return a.rung < b.rung;
    return is_better(a.standing.value, b.standing.value, goal);
  });
  return found;
}

Suggestion Promoting::resumed(const Candidate& candidate, const std::string& why) const {
  Suggestion suggestion;
  suggestion.parameters = candidate.standing.trial->parameters;
  suggestion.resume_trial = candidate.standing.trial->number;
  suggestion.brief = "place " + std::to_string(candidate.place) + " of " + std::to_string(candidate.count) +
                     " at step " + std::to_string(candidate.step);
  suggestion.note = "goes on: " + rungs_.objective().metric + ' ' + for_people(candidate.standing.value) +
                    " is " + suggestion.brief + why;
  return suggestion;
}

std::optional<Suggestion> Promoting::promoted(const std::vector<Candidate>& candidates) const {
  for (const Candidate& candidate : candidates) {
    const auto factor = static_cast<std::size_t>(rungs_.reduction_factor());
    const std::size_t least = std::max(factor, static_cast<std::size_t>(std::max(min_trials_, 1)));
    if (candidate.count >= least && candidate.place <= candidate.count / factor)
      return resumed(candidate, ", among the best 1 of " + std::to_string(factor));
  }
  return std::nullopt;
}

std::optional<Suggestion> Promoting::last_chance(const std::vector<Candidate>& candidates) const {
  for (const Candidate& candidate : candidates)
    if (candidate.leads_completed)
      return resumed(candidate, ", better than every completed trial was there, and no new trial may begin");
  return std::nullopt;
}

Answer Promoting::suggest(const History& history, Rng& rng) {
  const std::vector<Candidate> paused = candidates(history);
  if (auto suggestion = promoted(paused)) return *std::move(suggestion);
  if (history.may_begin) {
    Answer answer = inner_->suggest(history, rng);
    if (!std::holds_alternative<Exhausted>(answer)) return answer;
  }
  const bool anything_runs = std::any_of(history.trials.begin(), history.trials.end(), [](const auto& trial) {
    return trial->state == TrialState::kRunning || trial->state == TrialState::kQueued;
  });
  // Whoever runs may pass those that wait, or complete.
  if (anything_runs) return Wait{};
  if (auto suggestion = last_chance(paused)) return *std::move(suggestion);
  return Exhausted{};
}

std::unique_ptr<Strategy> with_promotions(std::unique_ptr<Strategy> strategy, const EarlyStopping& rule,
                                          const Objective& objective) {
  if (rule.form != StopForm::kPause) return strategy;
  return std::make_unique<Promoting>(std::move(strategy), rule, objective);
}

}  // namespace tune::strategies
