#include "tuner/core/history.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/enum_text.h"
#include "tuner/core/replication.h"

namespace tune {
namespace {

constexpr EnumTexts<TrialState, 6> kStates{{{TrialState::kQueued, "queued"},
                                            {TrialState::kRunning, "running"},
                                            {TrialState::kPaused, "paused"},
                                            {TrialState::kCompleted, "completed"},
                                            {TrialState::kStopped, "stopped"},
                                            {TrialState::kFailed, "failed"}}};
constexpr EnumTexts<WarmStart, 2> kWarmStarts{
    {{WarmStart::kIdentical, "identical"}, {WarmStart::kTransfer, "transfer"}}};

// Whether `candidate` replaces `kept` as the reduced value.
bool replaces(double candidate, double kept, const Objective& objective) {
  switch (objective.reduce) {
    case Reduce::kLast:
      return true;
    case Reduce::kBest:
      return is_better(candidate, kept, objective.goal);
    case Reduce::kMin:
      return candidate < kept;
    case Reduce::kMax:
      return candidate > kept;
  }
  return false;
}

const TrialView* best_of_replicated(const History& history) {
  const Replication replication(history.objective.goal, seed_results(history));
  const Replication::Candidate* winner = replication.winner();
  if (winner == nullptr) return nullptr;
  const auto found = std::find_if(history.trials.begin(), history.trials.end(),
                                  [&](const auto& trial) { return trial->number == winner->trial; });
  return found->get();
}

}  // namespace

bool is_better(double a, double b, Goal goal) {
  if (std::isnan(a)) return false;
  if (std::isnan(b)) return true;
  return goal == Goal::kMinimize ? a < b : a > b;
}

const char* to_string(TrialState state) { return text_of(kStates, state); }

TrialState trial_state_from_string(const std::string& text) {
  return value_of(kStates, text, "state of a trial");
}

bool is_finished(TrialState state) {
  return state == TrialState::kCompleted || state == TrialState::kStopped || state == TrialState::kFailed;
}

bool is_open(TrialState state) { return state == TrialState::kQueued || state == TrialState::kRunning; }

const char* to_string(WarmStart kind) { return text_of(kWarmStarts, kind); }

WarmStart warm_start_from_string(const std::string& text) {
  return value_of(kWarmStarts, text, "kind of warm start");
}

std::optional<double> reduce_curve(const std::vector<MetricPoint>& curve, const Objective& objective) {
  // A trial that ends with a value that is not finite has diverged, whatever came before.
  if (objective.reduce == Reduce::kLast && !curve.empty() && !std::isfinite(curve.back().value)) return {};
  std::optional<double> reduced;
  for (const MetricPoint& point : curve)
    if (std::isfinite(point.value) && (!reduced || replaces(point.value, *reduced, objective)))
      reduced = point.value;
  return reduced;
}

std::vector<double> reached_values(const std::vector<MetricPoint>& curve,
                                   const std::vector<MetricPoint>& second_curve, const Objective& objective,
                                   const std::optional<Objective>& second) {
  const auto value = reduce_curve(curve, objective);
  if (!value) return {};
  const auto other = second ? reduce_curve(second_curve, *second) : std::nullopt;
  return other ? std::vector<double>{*value, *other} : std::vector<double>{*value};
}

const TrialView* History::best() const {
  const TrialView* best = nullptr;
  for (const auto& trial : trials) {
    if (trial->replicate_of) return best_of_replicated(*this);
    const bool counts = trial->role != SearchRole::kRepeat && trial->state == TrialState::kCompleted;
    if (!counts || trial->values.empty() || !std::isfinite(trial->values[0])) continue;
    if (best == nullptr || is_better(trial->values[0], best->values[0], objective.goal)) best = trial.get();
  }
  return best;
}

}  // namespace tune
