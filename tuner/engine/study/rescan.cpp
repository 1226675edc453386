#include "tuner/engine/study/rescan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/engine/attempt/attempt_log.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/engine/attempt/outcome.h"
#include "tuner/engine/promotion/promotion.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/regular_file.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostTrialFile = 16u << 20;

using Points = std::map<std::pair<std::string, std::int64_t>, store::MetricRow>;  // by name and step

// What the logs of a trial's attempts give.
struct Reading {
  Points points;
  UnreadLines unread, second_unread;  // of the objective, in the last attempt
};

std::vector<std::string> other_differences(const store::StudyRow& row, const Spec& spec) {
  std::vector<std::string> lines = spec_difference(row.spec, spec.document);
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("/metrics"); });
  return lines;
}

void require_same_search(const store::StudyRow& row, const Spec& spec) {
  const std::vector<std::string> lines = other_differences(row, spec);
  if (lines.empty()) return;
  std::string message = "the spec differs from that of \"" + row.name + "\" in more than its metrics:";
  for (const std::string& line : lines) message += "\n  " + line;
  throw Error(ExitCode::kConflict, message, "take these back, and change \"metrics\" alone");
}

bool same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same_points(const Points& a, const Points& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first == other.first && same_number(one.second.point.value, other.second.point.value);
  });
}

bool same_end(const store::TrialRow& a, const store::TrialRow& b) {
  return a.state == b.state && a.failure == b.failure && a.cut == b.cut &&
         std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(), same_number);
}

class Rescan {
 public:
  Rescan(const RescanRequest& request, const Clock& clock, store::StudyStore& store)
      : request_(request), clock_(clock), store_(store), row_(store.study()) {}

  RescanReport run() {
    require_same_search(row_, request_.spec);
    store::StudyStore::Transaction transaction(store_, Durability::kPower);
    const auto best_before = best_trial();
    for (const store::TrialRow& trial : store_.trials())
      if (is_finished(trial.state) || trial.state == TrialState::kPaused) rescan(trial);
    report_.has_new_spec = !spec_difference(row_.spec, request_.spec.document).empty();
    if (report_.has_new_spec) {
      row_.spec = request_.spec.document;
      row_.spec_text = request_.spec_text;
      store_.update_spec(row_);
    }
    // Whether the new best one passes is for the next run to decide.
    if (best_trial() != best_before) row_.facts.promotion.reset();
    row_.updated = clock_.wall_now();
    store_.update_study(row_);
    crash_point("rescanning");
    transaction.commit();
    crash_point("rescanned");
    return std::move(report_);
  }

 private:
  std::optional<int> best_trial() const { return winner_of(store_.load_history(), row_.spec); }

  void leave_alone(const store::TrialRow& trial, const std::string& why) {
    report_.left_alone.push_back("trial " + std::to_string(trial.number) + " is left as it is: " + why);
  }

  void rescan(const store::TrialRow& trial) {
    if (trial.facts.deleted) return;  // a deletion that was killed leaves logs
    const std::vector<store::AttemptRow> attempts = store_.attempts(trial.number);
    if (attempts.empty()) return leave_alone(trial, "no process of this machine ran it");
    Points before;
    for (const store::MetricRow& row : store_.metrics(trial.number)) before[{row.name, row.point.step}] = row;
    const std::optional<Reading> after = read_attempts(trial, attempts, before);
    if (!after) return;
    const store::TrialRow changed = judged(trial, attempts.back(), *after);
    if (same_end(trial, changed) && same_points(before, after->points)) {
      ++report_.unchanged;
      return;
    }
    write(trial, changed, after->points);
  }

  std::optional<Reading> read_attempts(const store::TrialRow& trial,
                                       const std::vector<store::AttemptRow>& attempts, const Points& before) {
    Reading reading;
    Points& points = reading.points;
    std::set<std::string> counted;
    for (const store::AttemptRow& attempt : attempts) {
      const fs::path folder = folder_of(attempt);
      std::error_code ignored;
      // What was never started has no log, and began nothing anew.
      if (!attempt.started) continue;
      if (!fs::is_regular_file(fs::symlink_status(folder / kLogFile, ignored))) {
        // A trainer that printed nothing leaves none either; where something was read from it, it was there.
        const bool is_lost = std::any_of(before.begin(), before.end(), [&](const auto& point) {
          return point.second.attempt == attempt.attempt;
        });
        if (is_lost)
          return leave_alone(trial, "the log of its attempt " + std::to_string(attempt.attempt) + " is gone"),
                 std::nullopt;
        continue;
      }
      if (began_anew(folder)) points.clear(), counted.clear();
      LogMetrics log = request_.read_log(
          {folder, request_.spec.metrics, last_steps(points), counted, attempt.exit_code.has_value()});
      if (log.is_cut) return leave_alone(trial, "the middle of its log was not kept"), std::nullopt;
      for (const MetricRecord& record : log.records) take(attempt, record, before, points);
      counted = std::move(log.counted);
      reading.unread = log.unread[request_.spec.objective.metric];
      if (const auto& second = request_.spec.second_objective)
        reading.second_unread = log.unread[second->metric];
    }
    return reading;
  }

  fs::path folder_of(const store::AttemptRow& attempt) const {
    return attempt_folder(request_.store / request_.study, {attempt.trial, attempt.attempt});
  }

  // Without a checkpoint an attempt forgets what the one before had reached.
  bool began_anew(const fs::path& folder) const {
    const Json trial = read_json_file(folder / kTrialFile, kMostTrialFile).value;
    return !trial.is_object() || trial.value("resume_from", Json()).is_null();
  }

  static std::map<std::string, std::int64_t> last_steps(const Points& points) {
    std::map<std::string, std::int64_t> steps;
    for (const auto& [key, row] : points) steps[key.first] = std::max(steps[key.first], key.second);
    return steps;
  }

  static void take(const store::AttemptRow& attempt, const MetricRecord& record, const Points& before,
                   Points& points) {
    const std::pair<std::string, std::int64_t> key{record.name, record.point.step};
    // A log does not say when a line was printed.
    const auto known = before.find(key);
    const WallTime time =
        known != before.end() ? known->second.time : attempt.ended.value_or(attempt.created);
    points[key] = {attempt.trial, attempt.attempt, record.name, record.point, time};
  }

  std::optional<SecondEnd> second_end(const store::TrialRow& trial, const std::vector<MetricPoint>& curve,
                                      const UnreadLines& unread) const {
    if (!request_.spec.second_objective) return std::nullopt;
    double seconds = 0;
    for (const store::AttemptRow& attempt : store_.attempts(trial.number)) seconds += attempt.lease_seconds;
    return SecondEnd{*request_.spec.second_objective, curve, unread, seconds};
  }

  // The trial as a run with this spec would have ended it.
  store::TrialRow judged(const store::TrialRow& trial, const store::AttemptRow& attempt,
                         const Reading& reading) const {
    const Spec& spec = request_.spec;
    const std::optional<Objective>& second = spec.second_objective;
    std::vector<MetricPoint> curve, second_curve;
    for (const auto& [key, row] : reading.points) {
      if (key.first == spec.objective.metric) curve.push_back(row.point);
      if (second && key.first == second->metric) second_curve.push_back(row.point);
    }
    store::TrialRow judged = trial;
    judged.values = reached_values(curve, second_curve, spec.objective, second);
    if (trial.state == TrialState::kStopped || trial.state == TrialState::kPaused) return judged;
    const fs::path folder = folder_of(attempt);
    const std::optional<ExitReport> report = read_exit(folder, attempt.token);
    if (!report) return trial;
    const AttemptOutcome outcome = classify({report,
                                             spec.objective,
                                             curve,
                                             spec.trainer.has_value(),
                                             0,
                                             false,
                                             attempt.reason,
                                             last_log_line(folder),
                                             {},
                                             reading.unread,
                                             log_end(folder, kLogEnd),
                                             spec.limits.on_trial_time,
                                             {},
                                             spec.retry.infrastructure,
                                             second_end(trial, second_curve, reading.second_unread)});
    if (outcome.state != TrialState::kCompleted && outcome.state != TrialState::kFailed) return trial;
    judged.state = outcome.state;
    judged.failure = outcome.failure;
    judged.cut = outcome.cut;
    judged.values = outcome.values();
    if (!same_end(trial, judged)) judged.reason = outcome.reason;
    return judged;
  }

  void write(const store::TrialRow& before, const store::TrialRow& after, const Points& points) {
    const std::string message = "its log was read again: it is " + std::string(to_string(after.state)) +
                                (after.values.empty() ? "" : " with " + shortest(after.values.front()));
    store_.change_finished_trial(
        after, {0, clock_.wall_now(), "trial_rescanned", 0, before.attempts, {{"message", message}}});
    store_.remove_metrics(before.number);
    std::vector<store::MetricRow> rows;
    for (const auto& [key, row] : points) rows.push_back(row);
    store_.insert_metrics(rows);
    report_.changed.push_back({before, after});
  }

  const RescanRequest& request_;
  const Clock& clock_;
  store::StudyStore& store_;
  store::StudyRow row_;
  RescanReport report_;
};

}  // namespace

RescanReport rescan_study(const RescanRequest& request, const Clock& clock) {
  HeldStudy study = require_held_study(request.store, request.study);
  return Rescan(request, clock, *study.store).run();
}

}  // namespace tune::engine
