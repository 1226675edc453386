#pragma once
// What a surrogate learns from.
#include <Eigen/Core>
#include <cstddef>
#include <vector>

namespace tune::strategies {

// The observations of a history in the order of their trials, encoded.
struct ObservationTable {
  Eigen::MatrixXd features;    // one row an observation
  std::vector<double> losses;  // smaller is better, finite
  // Standard deviations of what the losses have been read off, beside the noise of all: 0 for ends of trials,
  // else of a curve (CurveForecast). As many as losses, or none where all are 0.
  std::vector<double> deviations = {};
  std::vector<int> trials;  // their places in the history from 1, ascending
  std::size_t size() const { return losses.size(); }
  // Those of the trials up to `last`.
  ObservationTable up_to(int last) const;
};

}  // namespace tune::strategies
