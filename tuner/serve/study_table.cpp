#include "tuner/serve/study_table.h"

#include <algorithm>
#include <limits>

#include "tuner/core/error.h"
#include "tuner/core/metric_names.h"
#include "tuner/core/store_layout.h"
#include "tuner/live/live_study.h"
#include "tuner/live/study_place.h"
#include "tuner/os/held_locks.h"
#include "tuner/serve/age.h"

namespace tune::serve {
namespace {

constexpr int kTrialsAtOnce = 2000;         // of one transaction: some ten milliseconds
constexpr std::size_t kMostChanges = 2000;  // beyond which all is read again
constexpr std::size_t kMostTold = 200;
constexpr std::size_t kLarge = 5000;  // trials, whose costs take a while
constexpr Milliseconds kDeploymentsFreshFor{2000};

}  // namespace

void StudyTable::refresh() {
  open_again();
  const std::filesystem::path lock = study_lock(live::study_folder(store_, name_));
  // The lock first, as in live::read_live_study().
  const bool was_locked = is_locked(lock);
  const std::int64_t version = open_->data_version();
  if (!is_read_)
    read_all();
  else if (version != data_version_)
    read_changes();
  data_version_ = version;
  show_as_of_now(was_locked || is_locked(lock));
}

// A study may be deleted, and another one begun under its name.
void StudyTable::open_again() {
  const std::filesystem::path file = live::require_study(store_, name_);
  struct stat status {};
  const bool is_there = ::stat(file.c_str(), &status) == 0;
  if (open_ && is_there && status.st_dev == device_ && status.st_ino == file_) return;
  open_.reset();
  if (generation_ > 0) changes_.any = changes_.skipped = true;
  is_read_ = false;
  ++generation_;
  open_.emplace(file, store::OpenMode::kRead);
  device_ = status.st_dev;
  file_ = status.st_ino;
}

void StudyTable::read_all() {
  is_read_ = false;  // until all is here
  // Before the rows, so that what changes meanwhile is read again.
  last_event_ = open_->last_event();
  stored_ = open_->study();
  rows_ = {};
  rows_.study = stored_;
  space_ = report::stored_space(stored_);
  parameters_.clear();
  if (space_)
    for (const Parameter& parameter : space_->parameters())
      parameters_.emplace_back(parameter.name, parameter.type);
  open_trials_.clear();
  costs_.reset();
  for (int first = 1;; first += kTrialsAtOnce) {
    std::vector<store::TrialRow> piece = open_->trials_in_short(first, first + kTrialsAtOnce - 1);
    if (piece.empty()) break;
    const int last = piece.back().number;
    for (store::TrialRow& row : piece) take_trial(std::move(row));
    take_attempts(first, last);
  }
  rows_.running_times = open_->running_times();
  is_draining_ = open_->is_draining();
  rows_.validation_seconds = open_->metric_sums(kValidationSeconds);
  for (const std::string& name : report::other_metrics(stored_)) {
    report::LastValues& values = rows_.others.emplace_back();
    values.metric = name;
    for (const auto& [trial, point] : open_->last_points(name)) values.by_trial[trial] = point.value;
  }
  for (const int trial : open_trials_) take_points_of(trial);
  changes_.any = changes_.skipped = true;
  changes_.last_event = last_event_;
  is_read_ = true;
  ++version_;
}

void StudyTable::read_changes() {
  std::set<int> changed = open_trials_;
  bool has_begun = false;
  while (true) {
    const std::vector<store::EventRow> events = open_->events(last_event_);
    for (const store::EventRow& event : events) {
      last_event_ = event.id;
      has_begun = has_begun || event.kind == "study_started";
      if (event.kind == "study_started" || event.kind == "draining") is_draining_ = event.kind == "draining";
      if (event.trial > 0) changed.insert(event.trial);
      changes_.kinds.insert(event.kind);
      if (!rows_.running_times.empty() && store::is_of_a_run(event))
        rows_.running_times.back().end = std::max(rows_.running_times.back().end, event.time);
    }
    if (events.empty() || changed.size() > kMostChanges) break;
  }
  store::StudyRow study = open_->study();
  const int count = open_->trial_count();
  for (int number = static_cast<int>(rows_.trials.size()) + 1; number <= count; ++number)
    changed.insert(number);
  const bool is_other = study.spec_text != stored_.spec_text;  // amended
  stored_ = std::move(study);
  if (is_other || changed.size() > kMostChanges) return read_all();
  if (has_begun) rows_.running_times = open_->running_times();
  for (const int number : changed) {
    std::vector<store::TrialRow> row = open_->trials_in_short(number, number);
    if (row.empty()) continue;
    take_trial(std::move(row.front()));
    take_attempts(number, number);
    take_points_of(number);
  }
  changes_.any = true;
  changes_.trials.insert(changed.begin(), changed.end());
  if (changes_.trials.size() > kMostTold) {
    changes_.trials.clear();
    changes_.skipped = true;
  }
  changes_.last_event = last_event_;
  ++version_;
}

void StudyTable::take_trial(store::TrialRow row) {
  const auto index = static_cast<std::size_t>(row.number) - 1;
  if (index >= rows_.trials.size()) {
    TUNE_CHECK(index == rows_.trials.size(), name_);
    rows_.trials.emplace_back();
    for (ValueColumn& column : parameters_) column.resize(index + 1);
  }
  for (ValueColumn& column : parameters_) {
    const auto found = row.parameters.find(column.name());
    if (found == row.parameters.end())
      column.clear(index);
    else
      column.set(index, found->second);
  }
  for (const auto& [name, value] : row.parameters) {
    const bool is_known = std::any_of(parameters_.begin(), parameters_.end(),
                                      [&name](const ValueColumn& column) { return column.name() == name; });
    if (is_known) continue;
    // From before the space was amended, or of a spec that this version cannot read.
    ValueColumn& column = parameters_.emplace_back(name, value.is_number_integer() ? ParameterType::kInt
                                                         : value.is_number()       ? ParameterType::kFloat
                                                                             : ParameterType::kCategorical);
    column.resize(rows_.trials.size());
    column.set(index, value);
  }
  row.parameters.clear();
  if (!row.facts.is_enqueued()) row.facts.explanation = Json::object();
  if (is_finished(row.state))
    open_trials_.erase(row.number);
  else
    open_trials_.insert(row.number);
  if (row.state != TrialState::kRunning) rows_.latest.erase(row.number);
  rows_.trials[index] = std::move(row);
}

void StudyTable::take_attempts(int first, int last) {
  std::vector<store::AttemptRow> rows = open_->attempts_between(first, last);
  for (store::AttemptRow& row : rows) {
    row.token.clear();
    row.boot_id = {};
    row.facts.verdict = Json::object();
  }
  std::vector<store::AttemptRow>& all = rows_.attempts;
  const auto begin =
      std::lower_bound(all.begin(), all.end(), first,
                       [](const store::AttemptRow& row, int trial) { return row.trial < trial; });
  const auto end = std::upper_bound(
      begin, all.end(), last, [](int trial, const store::AttemptRow& row) { return trial < row.trial; });
  if (static_cast<std::size_t>(end - begin) == rows.size()) {
    std::move(rows.begin(), rows.end(), begin);
    return;
  }
  const auto at = all.erase(begin, end);
  all.insert(at, std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
}

void StudyTable::take_points_of(int trial) {
  const TrialState state = rows_.trials[static_cast<std::size_t>(trial) - 1].state;
  if (state == TrialState::kRunning) {
    if (const auto point = open_->last_point(trial, stored_.objective.metric)) rows_.latest[trial] = *point;
  }
  for (report::LastValues& values : rows_.others) {
    if (const auto point = open_->last_point(trial, values.metric))
      values.by_trial[trial] = point->value;
    else
      values.by_trial.erase(trial);
  }
}

void StudyTable::show_as_of_now(bool is_locked) {
  if (is_live_ != is_locked) {
    is_live_ = is_locked;
    ++version_;
    changes_.any = true;
  }
  rows_.study = stored_;
  rows_.is_stopping = is_draining_ && stored_.state == store::StudyState::kRunning;
  if (age_of(deployments_read_) > kDeploymentsFreshFor) {
    rows_.deployments = live::known_deployments(store_);
    deployments_read_ = std::chrono::steady_clock::now();
  }
  if (stored_.state != store::StudyState::kRunning) return;
  if (!is_locked) {
    rows_.study.state = store::StudyState::kInterrupted;
    rows_.study.finish_reason = live::how_to_go_on(stored_, name_);
    return;
  }
  const WallTime time = SystemClock().wall_now();
  for (const int trial : open_trials_) {
    const auto [begin, end] = attempts_of(trial);
    for (std::size_t i = begin; i < end; ++i) report::bill_running(rows_.attempts[i], time);
  }
  if (!rows_.running_times.empty())
    rows_.running_times.back().end = std::max(rows_.running_times.back().end, time);
  rows_.study.elapsed_seconds += std::max(0.0, std::chrono::duration<double>(time - stored_.updated).count());
}

ParameterSet StudyTable::parameters_of(int trial) const {
  ParameterSet set;
  for (const ValueColumn& column : parameters_)
    if (const auto index = static_cast<std::size_t>(trial) - 1; column.has(index))
      set[column.name()] = column.value(index);
  return set;
}

report::StudyRows StudyTable::rows_with_parameters() const {
  report::StudyRows rows = rows_;
  for (store::TrialRow& trial : rows.trials) trial.parameters = parameters_of(trial.number);
  return rows;
}

std::pair<std::size_t, std::size_t> StudyTable::attempts_of(int trial) const {
  const std::vector<store::AttemptRow>& all = rows_.attempts;
  const auto begin =
      std::lower_bound(all.begin(), all.end(), trial,
                       [](const store::AttemptRow& row, int number) { return row.trial < number; });
  auto end = begin;
  while (end != all.end() && end->trial == trial) ++end;
  return {static_cast<std::size_t>(begin - all.begin()), static_cast<std::size_t>(end - all.begin())};
}

const report::CostReport& StudyTable::costs() {
  // A tenth of the time at most goes into keeping them fresh.
  const Milliseconds age = age_of(costs_made_);
  const bool is_old = costs_version_ != version_ || (is_live_ && age > Milliseconds(1000));
  const bool is_large = rows_.trials.size() > kLarge;
  if (costs_ && (!is_old || (is_large && age < 10 * costs_took_))) return *costs_;
  const SteadyTime begin = std::chrono::steady_clock::now();
  rows_.neighbours.clear();
  report::share_with_neighbours(rows_, store_);
  costs_ = report::costs_of(rows_);
  device_hours_.assign(rows_.trials.size(), 0);
  for (const store::TrialRow& trial : rows_.trials)
    device_hours_[static_cast<std::size_t>(trial.number) - 1] = costs_->of(trial.number).total.device_hours;
  costs_version_ = version_;
  costs_made_ = std::chrono::steady_clock::now();
  costs_took_ = age_of(begin);
  return *costs_;
}

double StudyTable::device_hours(int trial) {
  costs();
  const auto index = static_cast<std::size_t>(trial) - 1;
  return index < device_hours_.size() ? device_hours_[index] : 0;
}

StudyChanges StudyTable::take_changes() { return std::exchange(changes_, {}); }

}  // namespace tune::serve
