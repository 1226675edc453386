#include "tuner/engine/loop/poison_guard.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "tuner/engine/attempt/attempt_log.h"

namespace tune::engine {
namespace {

constexpr Milliseconds kAtOnceTime{10'000};  // a trainer that lived longer has at least begun its work
constexpr int kLeastAtOnce = 5, kLeastWithoutMetric = 3;
// How rarely chance may make such a row at any one place of a search: in one of ten searches of a thousand
// trials.
constexpr double kChance = 1e-4;
// The rate counts as no higher: so a search in which more than half of the trials fail is warned of too late,
// not never.
constexpr double kHighestRate = 0.5;
constexpr int kTimesWhenExplained = 5;

bool worked(const TrialView& trial) {
  return trial.state == TrialState::kCompleted || trial.state == TrialState::kStopped;
}

// The trials of a study, those of the row and those that worked.
struct Sides {
  std::vector<const TrialView*> failed, fine;
};

// Whether a parameter's values lie on two sides: all numbers of the row beyond all that worked, or one value
// that none of those had.
bool tells_apart(const std::string& name, const Sides& sides) {
  const auto values = [&](const std::vector<const TrialView*>& trials) {
    std::vector<Json> found;
    for (const TrialView* trial : trials)
      if (const auto at = trial->parameters.find(name); at != trial->parameters.end())
        found.push_back(at->second);
    return found;
  };
  const std::vector<Json> failed = values(sides.failed), fine = values(sides.fine);
  if (failed.size() != sides.failed.size()) return false;
  if (fine.empty()) return true;
  const auto is_number = [](const Json& value) { return value.is_number(); };
  if (std::all_of(failed.begin(), failed.end(), is_number) &&
      std::all_of(fine.begin(), fine.end(), is_number)) {
    const auto [low, high] = std::minmax_element(failed.begin(), failed.end());
    const auto [fine_low, fine_high] = std::minmax_element(fine.begin(), fine.end());
    if (*low > *fine_high || *high < *fine_low) return true;
  }
  return std::none_of(fine.begin(), fine.end(),
                      [&](const Json& value) {
                        return std::find(failed.begin(), failed.end(), value) != failed.end();
                      }) &&
         std::all_of(failed.begin(), failed.end(),
                     [&](const Json& value) { return value == failed.front(); });
}

bool one_parameter_tells(const Sides& sides) {
  std::set<std::string> names;
  for (const auto& [name, value] : sides.failed.front()->parameters) names.insert(name);
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return tells_apart(name, sides); });
}

// What trials that failed in the same way have in common.
std::string way_of(const TrialEnd& end) {
  const std::string how = end.attempt.signal      ? "signal " + std::to_string(*end.attempt.signal)
                          : end.attempt.exit_code ? "exit code " + std::to_string(*end.attempt.exit_code)
                                                  : "no exit code";
  return end.failure + ", " + how + ": " + masked(end.reason);
}

}  // namespace

PoisonGuard::End PoisonGuard::End::of(const TrialEnd& end) {
  return {end.trial,
          end.attempt.attempt,
          end.state,
          way_of(end),
          end.lasted,
          end.has_metrics,
          end.attempt.exit_code == 0,
          end.failure == "no_metric"};
}

PoisonGuard::Kind PoisonGuard::kind_of(const End& end) {
  if (end.state != TrialState::kFailed) return Kind::kWorked;
  if (!end.exited_well && end.lasted <= kAtOnceTime) return Kind::kAtOnce;
  return end.has_metrics && !end.lacks_objective ? Kind::kOther : Kind::kSilent;
}

void PoisonGuard::on_start(int trial, int running) {
  started_[trial] = ++starts_;
  at_once_ = std::max(at_once_, running);
}

void PoisonGuard::on_end(const End& end, const History& history) {
  const auto start = started_.find(end.trial);
  const std::int64_t place = start == started_.end() ? ++starts_ : start->second;
  if (start != started_.end()) started_.erase(start);
  // Stopped in a queue, or before it could work: that says nothing.
  if (end.state == TrialState::kStopped && !end.has_metrics) return;
  ended_[place] = {{end.trial, end.attempt}, kind_of(end), end.has_metrics, end.way};
  verdict_.reset();
  const auto stop = [&](const std::vector<const Ended*>& row, const std::string& words, bool is_silent) {
    verdict_ = Verdict{words, {}, is_silent};
    for (const Ended* each : row) verdict_->row.push_back(each->member);
  };
  if (const auto row = row_at_once(); is_long_enough(row, kLeastAtOnce, history)) {
    stop(row,
         std::to_string(row.size()) +
             " trials that were started one after another failed at once in the same way",
         false);
  } else if (const auto silent = row_without_metric();
             is_long_enough(silent, least_without_metric(silent), history)) {
    const bool any_metric =
        std::any_of(silent.begin(), silent.end(), [](const Ended* each) { return each->has_metrics; });
    stop(silent,
         std::to_string(silent.size()) + " trials that were started one after another ended without " +
             (any_metric ? "a value of the objective" : "any metric"),
         true);
  }
}

// Those that all failed at once cost little, and it takes as many of them as of failures in one way.
int PoisonGuard::least_without_metric(const std::vector<const Ended*>& row) {
  const bool any_silent =
      std::any_of(row.begin(), row.end(), [](const Ended* each) { return each->kind == Kind::kSilent; });
  return any_silent ? kLeastWithoutMetric : kLeastAtOnce;
}

std::vector<const PoisonGuard::Ended*> PoisonGuard::row_at_once() const {
  std::vector<const Ended*> row;
  for (auto each = ended_.rbegin(); each != ended_.rend() && each->second.kind == Kind::kAtOnce; ++each) {
    if (!row.empty() && row.back()->way != each->second.way) break;
    row.push_back(&each->second);
  }
  std::reverse(row.begin(), row.end());
  return row;
}

std::vector<const PoisonGuard::Ended*> PoisonGuard::row_without_metric() const {
  std::vector<const Ended*> row;
  for (auto each = ended_.rbegin(); each != ended_.rend(); ++each) {
    const bool is_silent = each->second.kind == Kind::kSilent;
    if (!is_silent && (each->second.kind != Kind::kAtOnce || each->second.has_metrics)) break;
    row.push_back(&each->second);
  }
  std::reverse(row.begin(), row.end());
  return row;
}

bool PoisonGuard::is_long_enough(const std::vector<const Ended*>& row, int least,
                                 const History& history) const {
  least = std::max(least, at_once_);
  const int length = static_cast<int>(row.size());
  if (length < least) return false;
  Sides sides;
  int others = 0;
  for (const auto& trial : history.trials) {
    const bool in_row = std::any_of(row.begin(), row.end(),
                                    [&](const Ended* each) { return each->member.trial == trial->number; });
    if (in_row)
      sides.failed.push_back(trial.get());
    else if (worked(*trial))
      sides.fine.push_back(trial.get());
    else if (trial->state == TrialState::kFailed)
      ++others;
  }
  if (sides.fine.empty() || sides.failed.empty()) return true;
  // Laplace's rule of succession.
  const double rate =
      std::min(kHighestRate, (others + 1.0) / (static_cast<double>(sides.fine.size()) + others + 2.0));
  if (length < std::ceil(std::log(kChance) / std::log(rate))) return false;
  return length >= kTimesWhenExplained * least || !one_parameter_tells(sides);
}

}  // namespace tune::engine
