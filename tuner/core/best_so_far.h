#pragma once
// Whether a result is news.
#include <optional>
#include <vector>

#include "tuner/core/front.h"

namespace tune {

// What the completed trials of a study have reached: the best value, or with two objectives the front. A
// value; trials are added in the order in which they end.
class BestSoFar {
 public:
  explicit BestSoFar(Objective objective, std::optional<Objective> second = std::nullopt)
      : objective_(std::move(objective)), second_(std::move(second)) {}

  // Whether the values of a completed trial, one an objective, are better than the best; with two, whether no
  // trial is at least as good in both.
  bool is_improved_by(const std::vector<double>& values) const;
  // Forgets what they beat; nothing if they improve nothing.
  void add(const std::vector<double>& values);
  // Of the first objective: on a front the best there is of it.
  std::optional<double> best() const;
  bool is_empty() const { return losses_.empty(); }
  std::size_t size() const { return losses_.size(); }  // with two objectives, of the front

 private:
  LossPair losses_of(const std::vector<double>& values) const;

  Objective objective_;
  std::optional<Objective> second_;
  std::vector<LossPair> losses_;  // with one objective the second loss is 0
};

}  // namespace tune
