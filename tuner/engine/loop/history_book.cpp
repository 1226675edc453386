#include "tuner/engine/loop/history_book.h"

#include <algorithm>
#include <utility>

#include "tuner/core/error.h"

namespace tune::engine {
namespace {
std::size_t index_of(int number) { return static_cast<std::size_t>(number) - 1; }
}  // namespace

History history_in(const store::StudyStore& store, const SearchSpace& space) {
  History history = store.load_history();
  for (const auto& trial : history.trials)
    if (const auto objection = space.objection(trial->parameters))
      throw DamagedFile(store.file() + ": the parameters of trial " + std::to_string(trial->number) +
                        " are damaged: " + *objection);
  return history;
}

HistoryBook::HistoryBook(History loaded) : live_(std::move(loaded)), snapshot_(live_) {
  for (const auto& trial : live_.trials) paused_ += trial->state == TrialState::kPaused;
}

const TrialView& HistoryBook::trial(int number) const {
  if (const auto open = open_.find(number); open != open_.end()) return open->second;
  TUNE_CHECK(number >= 1 && number < live_.next_number());
  return *live_.trials[index_of(number)];
}

void HistoryBook::put(int number, std::shared_ptr<const TrialView> view) {
  live_.trials[index_of(number)] = std::move(view);
  differing_.push_back(number);
}

void HistoryBook::add(TrialView view) {
  const int number = view.number;
  TUNE_CHECK(number == live_.next_number());
  live_.trials.emplace_back();
  put(number, std::make_shared<const TrialView>(view));
  open_[number] = std::move(view);
}

void HistoryBook::open(int number) {
  if (!open_.contains(number)) open_[number] = trial(number);
}

bool HistoryBook::add_point(int number, MetricPoint point) {
  std::vector<MetricPoint>& curve = open_.at(number).curve;
  changed_.insert(number);
  if (curve.empty() || curve.back().step < point.step) {
    curve.push_back(point);
    return true;
  }
  const auto before = [](const MetricPoint& a, const MetricPoint& b) { return a.step < b.step; };
  const auto place = std::lower_bound(curve.begin(), curve.end(), point, before);
  if (place->step == point.step) {
    *place = point;
  } else {
    curve.insert(place, point);
  }
  return false;
}

void HistoryBook::set_pace(int number, double step_seconds) {
  open_.at(number).step_seconds = step_seconds;
  changed_.insert(number);
}

void HistoryBook::remove_points(int number) {
  open_.at(number).curve.clear();
  changed_.insert(number);
}

void HistoryBook::set_state(int number, TrialState state) {
  open(number);
  TrialView& view = open_.at(number);
  paused_ += (state == TrialState::kPaused) - (view.state == TrialState::kPaused);
  view.state = state;
  view.values.clear();
  changed_.insert(number);
}

void HistoryBook::pause(int number, std::vector<double> values) {
  set_state(number, TrialState::kPaused);
  open_.at(number).values = std::move(values);
}

void HistoryBook::set_budget(int number, double budget) {
  open(number);
  open_.at(number).budget = budget;
  changed_.insert(number);
}

void HistoryBook::close(int number, TrialState state, std::vector<double> values,
                        const std::string& failure) {
  open(number);
  TrialView view = std::move(open_.at(number));
  open_.erase(number);
  changed_.erase(number);
  paused_ -= view.state == TrialState::kPaused;
  view.state = state;
  view.values = std::move(values);
  view.failure = failure;
  view.curve.shrink_to_fit();
  put(number, std::make_shared<const TrialView>(std::move(view)));
}

void HistoryBook::publish(int except) {
  const bool is_kept = changed_.erase(except) > 0;
  for (const int number : std::exchange(changed_, {}))
    put(number, std::make_shared<const TrialView>(open_.at(number)));
  if (is_kept) changed_.insert(except);
}

const History& HistoryBook::history(int except) {
  publish(except);
  return live_;
}

const History& HistoryBook::snapshot(bool may_begin) {
  publish(0);
  snapshot_.may_begin = may_begin;
  snapshot_.trials.resize(live_.trials.size());
  for (const int number : differing_) snapshot_.trials[index_of(number)] = live_.trials[index_of(number)];
  differing_.clear();
  return snapshot_;
}

}  // namespace tune::engine
