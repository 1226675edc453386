#pragma once
// Where in the space an acquisition function is largest.
#include <functional>
#include <vector>

#include "strategies/encoding.h"
#include "tuner/core/rng.h"

namespace tune::strategies {

// A function of features to be maximised: at many rows at once, and at one point with its gradient by
// features.
struct Acquisition {
  std::function<Eigen::VectorXd(const Eigen::MatrixXd&)> values;
  std::function<double(const Eigen::VectorXd&, Eigen::VectorXd&)> value;
};

struct Candidate {
  UnitPoint unit;  // snapped
  double value;
};

struct SearchEffort {
  std::uint32_t anchors = 512;  // Sobol points
  std::uint32_t nearby = 128;   // perturbations of the best observed points
  std::size_t starts = 4;       // local searches, from the most promising of both
  int iterations = 40;          // of each
  // The best observed points with one coordinate drawn anew: for what lies apart along one coordinate where
  // the others are at their best, like the pieces of a front.
  std::uint32_t redrawn = 0;
};

// Multi-start search in the encoded cube: quasi-random anchors and perturbations of `incumbents` (not empty)
// are scored together, then L-BFGS climbs from the best few over the smooth coordinates, alternating with
// moves of single discrete coordinates. Returns what it saw, best first; the first is a local maximum.
// Deterministic given `rng`.
std::vector<Candidate> search_acquisition(const Encoding& encoding, const Acquisition& acquisition,
                                          const std::vector<UnitPoint>& incumbents,
                                          const SearchEffort& effort, Rng& rng);

}  // namespace tune::strategies
