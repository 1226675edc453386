#include "tuner/engine/loop/history_book.h"

#include <algorithm>
#include <string>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/placed_point.h"

namespace tune::engine {
namespace {
std::size_t index_of(int number) { return static_cast<std::size_t>(number) - 1; }

ParameterSet fixed_in(const store::StudyRow& study) {
  const auto fixed = study.spec.find("fixed");
  return fixed != study.spec.end() && fixed->is_object() ? fixed->get<ParameterSet>() : ParameterSet{};
}

// Without parameters it is no point of any space, and without values it teaches nothing.
std::shared_ptr<const TrialView> as_searched(const std::shared_ptr<const TrialView>& trial) {
  if (trial->role == SearchRole::kPoint) return trial;
  TrialView blank;
  blank.number = trial->number;
  blank.state = TrialState::kStopped;
  blank.role = trial->role;
  blank.replicate_of = trial->replicate_of;
  blank.apart_before = trial->apart_before;
  return std::make_shared<const TrialView>(std::move(blank));
}
// Keeps the steps ascending, and the later of two points of a step. True when the step is beyond all earlier
// ones.
bool put_point(std::vector<MetricPoint>& curve, MetricPoint point) {
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

}  // namespace

History history_in(const store::StudyStore& store, const SearchSpace& space) {
  History history = store.load_history();
  const store::StudyRow study = store.study();
  const std::map<std::string, Json> assumed = store::assumed_values(study.facts);
  const ParameterSet fixed = fixed_in(study);
  const int amended = study.facts.amendments.empty() ? 0 : study.facts.amendments.back().trials;
  for (auto& trial : history.trials) {
    if (trial->role != SearchRole::kPoint) continue;
    if (trial->number <= amended) {
      auto view = std::make_shared<TrialView>(*trial);
      PlacedPoint placed = placed_point(space, view->parameters, assumed, fixed);
      if (placed.point)
        view->parameters = *std::move(placed.point);
      else
        view->role = SearchRole::kNothing;
      trial = std::move(view);
    } else if (const auto objection = space.objection(trial->parameters)) {
      throw DamagedFile(store.file() + ": the parameters of trial " + std::to_string(trial->number) +
                        " are damaged: " + *objection);
    }
  }
  if (!history.earlier || amended == 0) return history;
  std::vector<EarlierTrial> inside;
  for (const EarlierTrial& earlier : *history.earlier) {
    PlacedPoint placed = placed_point(space, earlier.trial->parameters, assumed, fixed);
    if (!placed.point) continue;
    auto view = std::make_shared<TrialView>(*earlier.trial);
    view->parameters = *std::move(placed.point);
    inside.push_back({earlier.study, earlier.kind, std::move(view)});
  }
  history.earlier =
      inside.empty() ? nullptr : std::make_shared<const std::vector<EarlierTrial>>(std::move(inside));
  return history;
}

HistoryBook::HistoryBook(History loaded) : live_(std::move(loaded)), snapshot_(live_) {
  for (auto& trial : snapshot_.trials) {
    paused_ += trial->state == TrialState::kPaused;
    replicates_ += trial->replicate_of.has_value();
    repeats_ += trial->role == SearchRole::kRepeat;
    trial = as_searched(trial);
  }
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
  view.apart_before = replicates_ + repeats_;
  replicates_ += view.replicate_of.has_value();
  repeats_ += view.role == SearchRole::kRepeat;
  live_.trials.emplace_back();
  put(number, std::make_shared<const TrialView>(view));
  open_[number] = std::move(view);
}

void HistoryBook::open(int number) {
  if (!open_.contains(number)) open_[number] = trial(number);
}

bool HistoryBook::add_point(int number, MetricPoint point) {
  changed_.insert(number);
  return put_point(open_.at(number).curve, point);
}

void HistoryBook::add_second_point(int number, MetricPoint point) {
  changed_.insert(number);
  put_point(open_.at(number).second_curve, point);
}

void HistoryBook::set_pace(int number, double step_seconds) {
  open_.at(number).step_seconds = step_seconds;
  changed_.insert(number);
}

void HistoryBook::remove_points(int number) {
  open_.at(number).curve.clear();
  open_.at(number).second_curve.clear();
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

void HistoryBook::set_memory(int number, bool did_not_fit, std::optional<std::uint64_t> bytes) {
  open(number);
  TrialView& view = open_.at(number);
  view.did_not_fit = did_not_fit;
  view.device_memory = bytes;
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
  view.second_curve.shrink_to_fit();
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

const History& HistoryBook::snapshot(bool may_begin, bool is_over) {
  publish(0);
  snapshot_.may_begin = may_begin;
  snapshot_.is_over = is_over;
  snapshot_.can_pause = live_.can_pause;
  snapshot_.repeats = static_cast<std::size_t>(repeats_);
  snapshot_.trials.resize(live_.trials.size());
  for (const int number : differing_)
    snapshot_.trials[index_of(number)] = as_searched(live_.trials[index_of(number)]);
  differing_.clear();
  return snapshot_;
}

}  // namespace tune::engine
