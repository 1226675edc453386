#pragma once
// The history in memory: the loop writes it, a strategy on another thread reads a snapshot of it.
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/history.h"

namespace tune::engine {

// All that the store holds. Trials from before the space was amended have their points in it, and those that
// are none teach nothing. Throws DamagedFile where a later trial is no point of the space, which is where
// every suggestion came from.
History history_in(const store::StudyStore& store, const SearchSpace& space);

// Owned by the loop, on its thread. Trials that run have a view of their own that grows without copying; it
// enters the history when somebody is about to look. A snapshot costs what changed since the last one, not
// the number of trials.
class HistoryBook {
 public:
  explicit HistoryBook(History loaded);

  int next_number() const { return live_.next_number(); }
  int replicates() const { return replicates_; }
  const TrialView& trial(int number) const;

  // The next trial, running or queued. Its number must be next_number().
  void add(TrialView view);
  // A trial that is to grow again, after a restart of the loop or of the attempt.
  void open(int number);
  // A point of the objective of an open trial. True when its step is beyond all earlier ones.
  bool add_point(int number, MetricPoint point);
  // The same of the second objective.
  void add_second_point(int number, MetricPoint point);
  // Of an open trial (TrialView::step_seconds).
  void set_pace(int number, double step_seconds);
  void remove_points(int number);
  void set_state(int number, TrialState state);  // of a trial that waits or runs: it has no values
  void pause(int number, std::vector<double> values);
  void set_budget(int number, double budget);
  // Of an open trial: what its point takes of memory.
  void set_memory(int number, bool did_not_fit, std::optional<std::uint64_t> bytes);
  // Ends it: no more points.
  void close(int number, TrialState state, std::vector<double> values, const std::string& failure);

  // Up to date but for `except`, whose open view trial() gives.
  const History& history(int except = 0);
  // The same for another thread, as the search is to see it: of what is no point of it (SearchRole) the
  // number alone. Unchanged until the next call of snapshot(). `may_begin` and `is_over` as in History.
  const History& snapshot(bool may_begin = true, bool is_over = false);
  // From now on no trial is paused (History::can_pause).
  void give_up_pausing() { live_.can_pause = false; }
  int paused() const { return paused_; }
  // How many trials the search has begun: all but repeats and replicates.
  int searched() const { return next_number() - 1 - repeats_ - replicates_; }

 private:
  void publish(int except);
  void put(int number, std::shared_ptr<const TrialView> view);

  History live_, snapshot_;        // the latter is read on another thread, and written by snapshot() alone
  std::map<int, TrialView> open_;  // paused ones too
  std::set<int> changed_;          // of these, since they were put into live_
  int paused_ = 0;                 // trials that wait with their checkpoints
  int replicates_ = 0, repeats_ = 0;
  std::vector<int> differing_;  // numbers whose view in snapshot_ is older than in live_
};

}  // namespace tune::engine
