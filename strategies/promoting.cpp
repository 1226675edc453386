#include "strategies/promoting.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "tuner/core/number_text.h"

namespace tune::strategies {

std::vector<Promoting::Candidate> Promoting::candidates(const History& history) const {
  const Goal goal = rungs_.objective().goal;
  const auto is_ahead = [goal](double a, double b) { return is_better(a, b, goal); };
  // By bracket and rung: all finite values, the best first, how many came so far, and the best of the
  // completed.
  struct Field {
    std::vector<double> values;
    std::size_t count = 0;
    std::optional<double> best_completed;
  };
  std::map<std::pair<std::size_t, std::size_t>, Field> fields;
  const std::vector<Rungs::Climber>& climbers = rungs_.climbers(history);
  for (const Rungs::Climber& climber : climbers)
    for (std::size_t rung = 0; rung < climber.values.size(); ++rung) {
      if (!climber.values[rung]) continue;
      Field& field = fields[{climber.bracket, rung}];
      ++field.count;
      const double value = *climber.values[rung];
      if (!std::isfinite(value)) continue;
      field.values.push_back(value);
      if (climber.state == TrialState::kCompleted &&
          (!field.best_completed || is_ahead(value, *field.best_completed)))
        field.best_completed = value;
    }
  for (auto& [place, field] : fields) std::sort(field.values.begin(), field.values.end(), is_ahead);

  std::vector<Candidate> found;
  for (const Rungs::Climber& climber : climbers) {
    if (climber.state != TrialState::kPaused || climber.values.empty()) continue;
    const auto reached = std::find_if(climber.values.begin(), climber.values.end(),
                                      [](const auto& value) { return value.has_value(); });
    if (reached == climber.values.end()) {
      found.push_back({{climber.trial.get(), 0},
                       climber.values.size(),
                       (*climber.steps)[climber.values.size() - 1],
                       0,
                       0,
                       true});
      continue;
    }
    if (!std::isfinite(**reached)) continue;
    const auto rung = static_cast<std::size_t>(reached - climber.values.begin());
    const Field& field = fields.at({climber.bracket, rung});
    const auto better = std::lower_bound(field.values.begin(), field.values.end(), **reached, is_ahead);
    found.push_back({{climber.trial.get(), **reached},
                     rung,
                     (*climber.steps)[rung],
                     static_cast<std::size_t>(better - field.values.begin()) + 1,
                     field.count,
                     !field.best_completed || is_ahead(**reached, *field.best_completed)});
  }
  // The highest rung first, and there the best, the earliest of equals.
  std::stable_sort(found.begin(), found.end(), [&](const Candidate& a, const Candidate& b) {
    if (a.rung != b.rung) return a.rung < b.rung;
    return is_ahead(a.standing.value, b.standing.value);
  });
  return found;
}

Suggestion Promoting::resumed(const Candidate& candidate, const std::string& why) const {
  Suggestion suggestion;
  suggestion.parameters = candidate.standing.trial->parameters;
  suggestion.resume_trial = candidate.standing.trial->number;
  if (candidate.count == 0) {
    suggestion.brief =
        "it waits below the first rung, which is at step " + std::to_string(candidate.step) + " now";
    suggestion.note = "goes on: " + suggestion.brief;
    return suggestion;
  }
  suggestion.brief = "place " + std::to_string(candidate.place) + " of " + std::to_string(candidate.count) +
                     " at step " + std::to_string(candidate.step);
  suggestion.note = "goes on: " + rungs_.objective().metric + ' ' + number_text(candidate.standing.value) +
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
  for (const Candidate& candidate : paused)
    if (candidate.count == 0) return resumed(candidate, {});
  std::optional<Answer> answer;
  if (history.may_begin) {
    answer = inner_->suggest(history, rng);
    // It has a better reason than a place at a rung.
    const auto* suggestion = std::get_if<Suggestion>(&*answer);
    if (suggestion != nullptr && suggestion->weighs_paused) return *answer;
  }
  if (auto suggestion = promoted(paused)) return *std::move(suggestion);
  if (answer && !std::holds_alternative<Exhausted>(*answer)) return *answer;
  const bool anything_runs = std::any_of(history.trials.begin(), history.trials.end(),
                                         [](const auto& trial) { return is_open(trial->state); });
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
