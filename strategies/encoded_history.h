#pragma once
// A history as the model sees it.
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "strategies/encoding.h"
#include "strategies/observation_table.h"
#include "strategies/point_key.h"
#include "tuner/core/history.h"
#include "tuner/core/search_settings.h"

namespace tune::strategies {

// Trials by what they tell, in order of their numbers. A completed trial is an observation of its value; one
// that runs, waits or was stopped is an observation of its end with an error, as its curve tells
// (CurveForecast). A failed one says where not to go. One that had to run with other hyperparameters, since
// it did not fit in memory, is an observation, and says where not to go: to begin such a trial costs an
// attempt that fails. Queued and running ones are pending, and so are paused ones whose curves tell nothing.
// Trials that are no points of the space, and trials that were stopped before they told anything, are no
// observations, but their points stay tried.
struct EncodedHistory {
  static constexpr double kFailed = 1, kSucceeded = -1;
  ObservationTable observations;
  std::vector<UnitPoint> observed_units;  // one an observation
  // Of a history with two objectives: the trials that have a value of the second one too, as above. Of one
  // that was cut short that value is a measurement of its end, too.
  ObservationTable second_observations;
  std::vector<std::size_t> pairs;  // for each of these, its row of `observations`
  Eigen::MatrixXd pending;         // rows of features
  ObservationTable outcomes;       // of observed and failed trials: kFailed or kSucceeded
  std::size_t failed = 0;
  Eigen::MatrixXd lost;  // rows of features: those of the failed ones without a value
  std::set<PointKey> tried;
  std::size_t finished = 0;
  Eigen::MatrixXd timed;       // features of the trials whose pace is known
  std::vector<double> prices;  // of their whole trainings, in device seconds
};

// Whether a trial has a value that it reached on the way: it was stopped, or waits.
bool is_cut_short(TrialState state);

// The value of a completed, stopped or paused trial with its sign turned so that smaller is better; nullopt
// for other states and where there is no finite value.
std::optional<double> observed_loss(const TrialView& trial, Goal goal);
// The same of a second objective.
std::optional<double> second_loss(const TrialView& trial, Goal goal);

// Encodes histories, remembering each trial by its address, which it keeps alive. Owned by a strategy; one
// thread.
class HistoryEncoder {
 public:
  HistoryEncoder(const SearchSpace& space, const Encoding& encoding, EarlyStopping stopping = {})
      : space_(space), encoding_(encoding), stopping_(std::move(stopping)) {}
  EncodedHistory encode(const History& history, Goal goal);

  struct Entry {
    std::shared_ptr<const TrialView> trial;
    bool valid = false;  // a point of the space; else the rest is empty
    UnitPoint unit;
    Activity active;
    Eigen::VectorXd features;
    PointKey key;
  };
  // What history.trials[index] is encoded as; good until reserve() is called with more.
  const Entry& entry(std::size_t index, const std::shared_ptr<const TrialView>& trial);
  void reserve(std::size_t trials) { entries_.reserve(trials); }

 private:
  const SearchSpace& space_;
  const Encoding& encoding_;
  EarlyStopping stopping_;
  std::vector<Entry> entries_;
};

}  // namespace tune::strategies
