#include "strategies/successive_halving_rule.h"

#include <algorithm>
#include <cmath>

#include "strategies/curve_standing.h"
#include "tuner/core/number_text.h"

namespace tune::strategies {
namespace {

// Whether the newest point is the first at or beyond the step.
bool arrives_at(const std::vector<MetricPoint>& curve, std::int64_t step) {
  return curve.back().step >= step && (curve.size() == 1 || curve[curve.size() - 2].step < step);
}

}  // namespace

SuccessiveHalvingRule::SuccessiveHalvingRule(const EarlyStopping& spec, const Objective& objective)
    : form_(spec.form.value_or(StopForm::kStop)),
      min_trials_(static_cast<std::size_t>(std::max(spec.min_trials, reduction_factor_of(spec)))),
      is_auto_(spec.rule == "auto"),
      rungs_(spec, objective) {}

// What has diverged does not come back, wherever the next rung is. Before the first one it may be warming up.
Verdict SuccessiveHalvingRule::judge_diverged(const TrialView& trial, const History& history) const {
  const Objective& objective = rungs_.objective();
  const std::int64_t step = trial.curve.back().step;
  const auto full = rungs_.full_steps(trial.parameters, history);
  const std::vector<std::int64_t> steps = full ? rungs_.steps(*full) : std::vector<std::int64_t>{};
  if (steps.empty() || step < steps.back()) return {};
  const auto finite = std::count_if(history.trials.begin(), history.trials.end(), [&](const auto& other) {
    if (other->number == trial.number || other->state == TrialState::kFailed) return false;
    const auto value = reached_by(other->curve, step, objective);
    return value && std::isfinite(*value);
  });
  if (finite == 0) return {};
  const std::string newest = number_text(trial.curve.back().value);
  return {Action::kStop,
          "At step " + std::to_string(step) + ' ' + objective.metric + " was " + newest +
              ", which is not a finite number; " + std::to_string(finite) +
              (finite == 1 ? " other trial" : " other trials") + " had a finite value there.",
          "at step " + std::to_string(step) + ": " + objective.metric + ' ' + newest,
          {{"step", step}, {"value", nullptr}, {"trials", finite}}};
}

Verdict SuccessiveHalvingRule::judge(const TrialView& trial, const History& history) {
  if (trial.curve.empty()) return {};
  const double value = reached(trial.curve, rungs_.objective());
  if (!std::isfinite(value)) return judge_diverged(trial, history);
  const StopForm form = history.can_pause ? form_ : StopForm::kStop;
  const bool is_watched = is_auto_ && form == StopForm::kStop;
  if (is_watched && Rungs::is_probe(trial.place())) return {};
  const std::vector<std::int64_t> steps = rungs_.steps_of(trial, history);
  const auto rung = Rungs::reached_rung(trial.curve, steps);
  if (!rung || !arrives_at(trial.curve, steps[*rung])) return {};
  if (is_watched && !rungs_.is_trusted(*rung, history)) return {};

  const Objective& objective = rungs_.objective();
  std::size_t better = 0;
  const std::vector<Rungs::Standing> others = rungs_.others_at(*rung, trial, history);
  for (const Rungs::Standing& other : others)
    better += std::isfinite(other.value) && is_better(other.value, value, objective.goal);

  const std::size_t count = others.size() + 1;
  const auto factor = static_cast<std::size_t>(rungs_.reduction_factor());
  const std::string place = "At the rung at step " + std::to_string(steps[*rung]) + ' ' + objective.metric +
                            " had reached " + number_text(value) + ", ";
  const std::string brief = "at step " + std::to_string(trial.curve.back().step) + ": " + objective.metric +
                            ' ' + number_text(value) + ", place " + std::to_string(better + 1) + " of " +
                            std::to_string(count);
  const Json compared = {{"rung", steps[*rung]},
                         {"value", number_to_json(value)},
                         {"place", better + 1},
                         {"trials", count},
                         {"go_on", count / factor}};
  const std::size_t kept = count / factor;
  const std::string standing =
      "place " + std::to_string(better + 1) + " of the " + std::to_string(count) + " that have come so far";
  if (count >= min_trials_ && better < kept) return {};
  if (form == StopForm::kPause)
    return {Action::kPause,
            place + standing +
                (count < min_trials_
                     ? ", of which none goes on before there are " + std::to_string(min_trials_) + '.'
                     : "; the best 1 of " + std::to_string(factor) + " goes on."),
            brief, compared};
  if (count < min_trials_) return {};
  return {Action::kStop, place + standing + "; the best 1 of " + std::to_string(factor) + " goes on.", brief,
          compared};
}

std::optional<RungPlan> SuccessiveHalvingRule::rungs(const History& history) const {
  std::optional<RungPlan> plan = rungs_.plan(history);
  if (!plan || plan->steps.empty()) return plan;
  const bool pauses = form_ == StopForm::kPause && history.can_pause;
  plan->text += ": 1 trial of " + std::to_string(rungs_.reduction_factor()) + " goes on, the others " +
                (pauses ? "wait with their checkpoints until they are among the best" : "are stopped");
  return plan;
}

}  // namespace tune::strategies
