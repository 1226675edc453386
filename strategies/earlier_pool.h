#pragma once
// The trials of earlier studies, in the units of this one.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tuner/core/history.h"

namespace tune::strategies {

// Decides which earlier trials a model sees beside a study's own, and with which values.
//
// Trials of an identical study are taken as they are. Those of a related study (transfer) have another scale.
// So their losses become standard scores z, with values far out pulled in, and then a + b z, which is where
// this study's own losses lie among them: b is the ratio of the spreads of the own losses and of what the
// related study predicts at the own points, and a the difference of their means. How many of them are taken
// shrinks with the number of own observations, and with the share of own pairs that the related study ranks
// the other way round (the ranking loss of Feurer, Letham & Bakshy, "Scalable meta-learning for Bayesian
// optimization", 2018): none when it is as good as a coin. So a misleading study is forgotten, and a good one
// too, only later. (Ranks in place of scores, as in Salinas, Shen & Perrone, ICML 2020, would fit any bent
// scale, but they flatten the bottom of the valley or, made normal, dig it deeper than it is: both cost
// trials when tried.)
//
// All of it depends on the first 1, 2, 4, ..., 256 own observations only, so that a model of the pool keeps
// what it has computed between these counts. A pure function of the history; what is remembered belongs to
// history.earlier, which never changes. Owned by a strategy; one thread.
class EarlierPool {
 public:
  EarlierPool(SearchSpace space, Goal goal) : space_(std::move(space)), goal_(goal) {}

  // In the order of history.earlier: completed, stopped and failed trials.
  std::vector<std::shared_ptr<const TrialView>> pool(const History& history);

  // At most so many trials of a related study count, its better half more densely than the rest.
  static constexpr std::size_t kMostTransferred = 100;

 private:
  struct Point {
    std::vector<double> unit;
    std::vector<bool> active;
  };
  struct Source {
    std::vector<std::size_t> members;  // of history.earlier, from the best to the worst
    std::vector<double> scores;        // one a member
    std::vector<Point> points;
    double raw_spread = 1;  // standard deviation of its own losses
  };
  struct Own {
    std::vector<Point> points;
    std::vector<double> losses;
  };

  void read_sources(const History& history);
  Point point_of(const ParameterSet& parameters) const;
  Own own_observations(const History& history) const;
  double loss_of(const TrialView& trial) const;
  double distance(const Point& a, const Point& b) const;
  double predict(const Source& source, const Point& at) const;
  void transfer(const Source& source, const Own& own,
                std::vector<std::shared_ptr<const TrialView>>& all) const;

  const SearchSpace space_;
  const Goal goal_;
  std::shared_ptr<const std::vector<EarlierTrial>> read_;  // what sources_ were made of
  std::map<std::string, Source> sources_;                  // related studies by name
};

}  // namespace tune::strategies
