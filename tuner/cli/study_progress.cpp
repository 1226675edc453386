#include "tuner/cli/study_progress.h"

#include <algorithm>
#include <cmath>

#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/text/format.h"

namespace tune::cli {
namespace {

using engine::StatusKind;

std::optional<int> whole_number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int>();
}

std::optional<Milliseconds> duration_limit(const Json& limits) {
  const auto found = limits.find("time");
  if (found == limits.end() || !found->is_string()) return std::nullopt;
  return parse_duration(found->get<std::string>());
}

std::vector<double> values_of(const engine::StatusEvent& event) {
  if (!event.value) return {};
  return event.second_value ? std::vector<double>{*event.value, *event.second_value}
                            : std::vector<double>{*event.value};
}

}  // namespace

StudyProgress::StudyProgress(const store::StudyRow& study, const std::vector<store::TrialRow>& trials,
                             const Clock& clock)
    : study_(study.name),
      objective_(study.objective),
      second_(study.second),
      so_far_(study.objective, study.second),
      clock_(clock),
      start_(clock.steady_now()),
      elapsed_before_(std::llround(study.elapsed_seconds * 1000)) {
  take_limits(study.limits);
  if (study.spec.contains("fixed")) last_step_ = whole_number(study.spec["fixed"], "epochs");
  for (const auto& trial : trials) {
    if (trial.facts.replicate_of) {
      replicates_.insert(trial.number);
      replicated_ += is_finished(trial.state);
      continue;
    }
    if (trial.facts.rerun_of) continue;
    completed_ += trial.state == TrialState::kCompleted;
    stopped_ += trial.state == TrialState::kStopped;
    failed_ += trial.state == TrialState::kFailed;
    if (trial.state == TrialState::kPaused) paused_.insert(trial.number);
    if (const auto seconds = report::trial_seconds(trial)) durations_ms_.push_back(*seconds * 1000);
  }
  std::sort(durations_ms_.begin(), durations_ms_.end());
  for (const auto& trial : trials)
    if (trial.state == TrialState::kCompleted && !trial.facts.replicate_of && !trial.facts.rerun_of)
      so_far_.add(trial.values);
  if (const auto best = report::best_trial(trials, objective_); best && !second_)
    best_ = Best{best->number, best->values.front()};
}

void StudyProgress::take_up(const store::AttemptRow& attempt, WallTime now) {
  Running& running = running_[attempt.trial];
  running.attempt = attempt.attempt;
  running.since = clock_.steady_now() - (now - attempt.started.value_or(now));
  running.devices = attempt.devices;
  most_running_ = std::max(most_running_, running_.size());
}

void StudyProgress::apply(const engine::StatusEvent& event) {
  switch (event.kind) {
    case StatusKind::kAttemptStarted: {
      if (event.rerun_of) repeats_.insert(event.trial);
      Running& running = running_[event.trial];
      running = Running();
      running.attempt = event.attempt;
      running.since = clock_.steady_now();
      running.devices = event.devices;
      paused_.erase(event.trial);
      most_running_ = std::max(most_running_, running_.size());
      break;
    }
    case StatusKind::kMetric: {
      const auto found = running_.find(event.trial);
      if (found == running_.end()) break;
      const bool objective_seen = found->second.metric == objective_.metric;
      if (objective_seen && event.metric != objective_.metric) break;
      found->second.metric = event.metric;
      found->second.point = event.point;
      break;
    }
    case StatusKind::kAttemptRequeued:
      running_.erase(event.trial);
      if (event.state == TrialState::kPaused) paused_.insert(event.trial);
      break;
    case StatusKind::kTrialFinished:
      if (event.rerun_of) repeats_.insert(event.trial);
      // Of equal values that of the earlier trial is the best, as in `tune best`.
      if (best_ && event.state == TrialState::kCompleted && event.value == best_->value &&
          event.trial < best_->trial && !event.rerun_of && !event.replicate_of)
        best_->trial = event.trial;
      count_end(event.trial, event.state);
      break;
    case StatusKind::kBest:
      so_far_.add(values_of(event));
      if (event.value && !second_) best_ = Best{event.trial, *event.value};
      break;
    case StatusKind::kRequest:
      if (event.limits) take_limits(*event.limits);
      break;
    case StatusKind::kDraining:
      draining_ = true;
      break;
    case StatusKind::kTrialQueued:
      if (event.replicate_of) replicates_.insert(event.trial);
      break;
    case StatusKind::kStudyStarted:
    case StatusKind::kNotice:
    case StatusKind::kBudget:
    case StatusKind::kPromotion:
    case StatusKind::kStudyFinished:
      break;
  }
}

bool StudyProgress::is_new_best(const engine::StatusEvent& event) const {
  return !event.replicate_of && !event.rerun_of && event.kind == StatusKind::kTrialFinished &&
         event.state == TrialState::kCompleted && so_far_.is_improved_by(values_of(event));
}

Milliseconds StudyProgress::elapsed() const {
  return elapsed_before_ + std::chrono::duration_cast<Milliseconds>(clock_.steady_now() - start_);
}

void StudyProgress::count_end(int trial, TrialState state) {
  if (const auto found = running_.find(trial); found != running_.end()) {
    const double lasted =
        std::chrono::duration<double, std::milli>(clock_.steady_now() - found->second.since).count();
    durations_ms_.insert(std::upper_bound(durations_ms_.begin(), durations_ms_.end(), lasted), lasted);
    running_.erase(found);
  }
  paused_.erase(trial);
  if (replicates_.contains(trial)) {
    ++replicated_;
    return;
  }
  if (repeats_.contains(trial)) return;
  completed_ += state == TrialState::kCompleted;
  stopped_ += state == TrialState::kStopped;
  failed_ += state == TrialState::kFailed;
}

void StudyProgress::take_limits(const Json& limits) {
  trial_limit_ = whole_number(limits, "trials");
  time_limit_ = duration_limit(limits);
  parallel_ = whole_number(limits, "parallel");
}

double StudyProgress::slots() const {
  return parallel_ ? static_cast<double>(std::max(1, *parallel_)) : static_cast<double>(most_running_);
}

std::optional<double> StudyProgress::trial_ms() const {
  if (!durations_ms_.empty()) return durations_ms_[durations_ms_.size() / 2];
  // Under a fifth of a trial the pace is mostly start-up time.
  constexpr double kEnough = 0.2;
  double parts = 0, spent = 0;
  for (const auto& [trial, running] : running_) {
    if (!last_step_ || *last_step_ < 1 || !running.point) continue;
    const double part = static_cast<double>(running.point->step) / static_cast<double>(*last_step_);
    parts += std::clamp(part, 0.0, 1.0);
    spent += std::chrono::duration<double, std::milli>(clock_.steady_now() - running.since).count();
  }
  return parts >= kEnough ? std::optional(spent / parts) : std::nullopt;
}

// What is left of the running trials and all of those to come, over the slots that share them: it falls
// second by second, and one fast or slow trial does not move it.
std::optional<Milliseconds> StudyProgress::remaining() const {
  std::optional<Milliseconds> left;
  const std::optional<double> each = trial_ms();
  if (trial_limit_ && each) {
    // Of the paused trials hardly any goes on.
    int searching = 0;
    for (const auto& [trial, one] : running_)
      searching += !replicates_.contains(trial) && !repeats_.contains(trial);
    const int to_come = std::max(0, *trial_limit_ - finished() - paused() - searching);
    double work = *each * to_come, longest = 0;
    for (const auto& [trial, running] : running_) {
      const double spent =
          std::chrono::duration<double, std::milli>(clock_.steady_now() - running.since).count();
      const double rest = std::max(0.0, *each - spent);
      work += rest;
      longest = std::max(longest, rest);
    }
    left = Milliseconds(std::llround(std::max(longest, work / slots())));
  }
  if (time_limit_) {
    const Milliseconds until_limit = std::max(Milliseconds(0), *time_limit_ - elapsed());
    left = left ? std::min(*left, until_limit) : until_limit;
  }
  return left;
}

}  // namespace tune::cli
