#pragma once
// The kernel parameters that a history calls for.
#include <cstdint>
#include <optional>
#include <vector>

#include "strategies/marginal_likelihood.h"
#include "strategies/observation_table.h"

namespace tune::strategies {

// Maximises log_posterior (MAP-II) from the most promising of some fixed starts: short, medium and long
// length scales, with little and much noise. `noise`: variances of the targets beside what all have in
// common; empty where there are none. nullopt when none could be evaluated.
std::optional<Theta> fit_theta(const Eigen::MatrixXd& features,
                               const std::vector<Eigen::Index>& group_of_feature,
                               const Eigen::VectorXd& targets, const Eigen::VectorXd& noise = {});

// Theta is fitted to the observations of the trials up to a certain number, the refit point, so that between
// refit points a suggestion pays for no fit. The point lies some trials back, where all have ended unless one
// takes very long, so that trials which end out of order do not call for new fits. Each fit is a function of
// those observations alone; the last is remembered under a hash of them. Owned by a strategy; one thread.
class HyperparameterSchedule {
 public:
  explicit HyperparameterSchedule(std::vector<Eigen::Index> group_of_feature)
      : group_of_feature_(std::move(group_of_feature)) {}

  // nullopt when nothing could be fitted. The table is not empty.
  std::optional<Theta> at(const ObservationTable& table);

  // The last trial whose observation is fitted when `count` observations reach up to trial `last`. Up to
  // kEveryTrial observations all are; then every 10th trial to 300, every 25th to 1000 and every 50th after:
  // a refit costs O(n^3), and parameters settle.
  static int refit_point(std::size_t count, int last);
  static constexpr std::size_t kEveryTrial = 60;
  // Where there are more observations a fit takes so many: the best for a quarter of them, the rest evenly in
  // order of trial.
  static constexpr std::size_t kMostFitted = 250;
  // Of a table that curves are in, which change with every metric line, so that each suggestion pays for a
  // fit.
  static constexpr std::size_t kMostFittedCurves = 120;

 private:
  std::optional<Theta> fit(const ObservationTable& table) const;

  std::vector<Eigen::Index> group_of_feature_;
  std::optional<std::uint64_t> hash_;
  std::optional<Theta> theta_;
};

// Indices, ascending, of `most` of the losses: the best quarter of `most`, the rest spread evenly over the
// others; all when there are no more.
std::vector<std::size_t> representative_subset(const std::vector<double>& losses, std::size_t most);

}  // namespace tune::strategies
