#pragma once
// A history as the model sees it.
#include <memory>
#include <set>
#include <vector>

#include "strategies/encoding.h"
#include "strategies/hyperparameter_chain.h"
#include "strategies/point_key.h"
#include "tuner/core/history.h"

namespace tune::strategies {

// Trials by what they tell, in order of their numbers. A completed or stopped trial is an observation of its
// value; a failed one says where not to go; queued, running and paused ones are pending. Trials that are no
// points of the space, and trials that were stopped before any value, tell nothing, but their points stay
// tried.
struct EncodedHistory {
  static constexpr double kFailed = 1, kSucceeded = -1;
  ObservationTable observations;
  std::vector<UnitPoint> observed_units;  // one an observation
  Eigen::MatrixXd pending;                // rows of features
  ObservationTable outcomes;              // of observed and failed trials: kFailed or kSucceeded
  std::size_t failed = 0;
  std::set<PointKey> tried;
  std::size_t finished = 0;
};

// Encodes histories, remembering each trial by its address, which it keeps alive. Owned by a strategy; one
// thread.
class HistoryEncoder {
 public:
  HistoryEncoder(const SearchSpace& space, const Encoding& encoding) : space_(space), encoding_(encoding) {}
  EncodedHistory encode(const History& history, Goal goal);

 private:
  struct Entry {
    std::shared_ptr<const TrialView> trial;
    bool valid = false;
    UnitPoint unit;
    Eigen::VectorXd features;
    PointKey key;
  };
  const Entry& entry(std::size_t index, const std::shared_ptr<const TrialView>& trial);

  const SearchSpace& space_;
  const Encoding& encoding_;
  std::vector<Entry> entries_;
};

}  // namespace tune::strategies
