#pragma once
// How much normal losses are expected to add to what a front dominates.
#include <array>
#include <vector>

#include "tuner/core/front.h"

namespace tune::strategies {

// The region that a front leaves within its reference: strip i is where the first loss lies between
// edges[i - 1] (of the first strip: minus infinity) and edges[i], and the second below ceilings[i]. Never
// empty; edges ascend, ceilings descend.
struct FrontStrips {
  std::vector<double> edges, ceilings;
};
FrontStrips strips_of(const std::vector<LossPair>& points, const LossPair& reference);

// log of the expected improvement of the hypervolume by two independent normal losses, and its derivatives.
// In each strip the expectation is a product of one-dimensional ones (Emmerich, Deutz & Klinkenberg,
// "Hypervolume-based expected improvement: Monotonicity properties and exact computation", CEC 2011; by
// strips Yang, Emmerich, Deutz & Back, "Efficient computation of expected hypervolume improvement using box
// decomposition algorithms", Journal of Global Optimization 75, 2019, section 4). They are summed as
// logarithms, so that nothing vanishes far from the front (Ament et al., NeurIPS 2023). O(strips).
struct LogHypervolumeGain {
  double value = 0;
  std::array<double, 2> by_mean{}, by_deviation{};
};
LogHypervolumeGain log_hypervolume_gain(const FrontStrips& strips, const std::array<double, 2>& means,
                                        const std::array<double, 2>& deviations);

}  // namespace tune::strategies
