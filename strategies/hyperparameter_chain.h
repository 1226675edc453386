#pragma once
// The kernel parameters that a history calls for.
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "strategies/marginal_likelihood.h"

namespace tune::strategies {

// The observations of a history in the order of their trials, encoded.
struct ObservationTable {
  Eigen::MatrixXd features;    // one row an observation
  std::vector<double> losses;  // smaller is better, finite
  std::size_t size() const { return losses.size(); }
};

// Maximises log_posterior from `start`; `restarts` more starts come from the prior (MAP-II). nullopt when no
// start could be evaluated.
std::optional<Theta> fit_theta(const Eigen::MatrixXd& features,
                               const std::vector<Eigen::Index>& group_of_feature,
                               const Eigen::VectorXd& targets, const std::optional<Theta>& start,
                               int restarts);

// Theta is fitted at certain numbers of observations, the refit points, each time on the first that many
// observations, by trial number. A fit starts where the one before it ended, and every kColdEvery-th from the
// prior instead, so that the chain to any refit point is short and a function of the history alone. What has
// been fitted is remembered under a hash of the observations that it saw. Owned by a strategy; one thread.
class HyperparameterChain {
 public:
  explicit HyperparameterChain(std::vector<Eigen::Index> group_of_feature)
      : group_of_feature_(std::move(group_of_feature)) {}

  struct Fit {
    Theta theta;
    std::size_t observations;  // of how many it was fitted
  };
  // `first`: the number of observations of the first refit point, >= 1 and at most the table's size.
  std::optional<Fit> at(const ObservationTable& table, std::size_t first);

  // How many observations the largest refit point up to `count` has. Every one to 100, every 5th to 300,
  // every 20th to 1000, every 50th after: a refit costs O(n^3), and parameters settle.
  static std::size_t refit_point(std::size_t count);
  static constexpr std::size_t kColdEvery = 8;
  // Of more observations a fit takes the best quarter, and the rest evenly in order of trial.
  static constexpr std::size_t kMostFitted = 250;

 private:
  struct Link {
    std::uint64_t hash;
    std::optional<Theta> theta;
  };
  std::optional<Theta> fit_prefix(const ObservationTable& table, std::size_t count,
                                  const std::optional<Theta>& start) const;

  std::vector<Eigen::Index> group_of_feature_;
  std::map<std::size_t, Link> links_;  // by refit point
};

// Indices, ascending, of `most` of the losses: the best quarter of `most`, the rest spread evenly over the
// others; all when there are no more.
std::vector<std::size_t> representative_subset(const std::vector<double>& losses, std::size_t most);

}  // namespace tune::strategies
