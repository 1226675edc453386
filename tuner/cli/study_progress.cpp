#include "tuner/cli/study_progress.h"

#include <algorithm>
#include <cmath>

#include "tuner/report/study_report.h"

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

}  // namespace

StudyProgress::StudyProgress(const store::StudyRow& study, const std::vector<store::TrialRow>& trials,
                             const Clock& clock)
    : study_(study.name),
      objective_(study.objective),
      clock_(clock),
      start_(clock.steady_now()),
      elapsed_before_(std::llround(study.elapsed_seconds * 1000)),
      trial_limit_(whole_number(study.limits, "trials")),
      time_limit_(duration_limit(study.limits)) {
  if (study.spec.contains("fixed")) last_step_ = whole_number(study.spec["fixed"], "epochs");
  for (const auto& trial : trials) {
    completed_ += trial.state == TrialState::kCompleted;
    stopped_ += trial.state == TrialState::kStopped;
    failed_ += trial.state == TrialState::kFailed;
  }
  finished_before_ = finished();
  if (const auto best = report::best_trial(trials, objective_))
    best_ = Best{best->number, best->values.front()};
}

void StudyProgress::apply(const engine::StatusEvent& event) {
  switch (event.kind) {
    case StatusKind::kAttemptStarted: {
      Running& running = running_[event.trial];
      running = Running();
      running.attempt = event.attempt;
      running.since = clock_.steady_now();
      running.devices = event.devices;
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
      break;
    case StatusKind::kTrialFinished:
      running_.erase(event.trial);
      completed_ += event.state == TrialState::kCompleted;
      stopped_ += event.state == TrialState::kStopped;
      failed_ += event.state == TrialState::kFailed;
      break;
    case StatusKind::kBest:
      if (event.value) best_ = Best{event.trial, *event.value};
      break;
    case StatusKind::kDraining:
      draining_ = true;
      break;
    case StatusKind::kStudyStarted:
    case StatusKind::kTrialQueued:
    case StatusKind::kNotice:
    case StatusKind::kPromotion:
    case StatusKind::kStudyFinished:
      break;
  }
}

Milliseconds StudyProgress::elapsed() const {
  return elapsed_before_ + std::chrono::duration_cast<Milliseconds>(clock_.steady_now() - start_);
}

double StudyProgress::work_done() const {
  double work = finished() - finished_before_;
  if (!last_step_ || *last_step_ < 1) return work;
  for (const auto& [trial, running] : running_) {
    if (!running.point) continue;
    const double part = static_cast<double>(running.point->step) / static_cast<double>(*last_step_);
    work += std::clamp(part, 0.0, 1.0);
  }
  return work;
}

std::optional<Milliseconds> StudyProgress::remaining() const {
  std::optional<Milliseconds> left;
  // Under a fifth of a trial the pace is mostly start-up time.
  constexpr double kEnough = 0.2;
  const double done = work_done();
  if (trial_limit_ && done >= kEnough) {
    const double missing = std::max(0.0, *trial_limit_ - finished_before_ - done);
    const auto spent = std::chrono::duration<double, std::milli>(clock_.steady_now() - start_).count();
    left = Milliseconds(std::llround(spent / done * missing));
  }
  if (time_limit_) {
    const Milliseconds until_limit = std::max(Milliseconds(0), *time_limit_ - elapsed());
    left = left ? std::min(*left, until_limit) : until_limit;
  }
  return left;
}

}  // namespace tune::cli
