#pragma once
// Results of two objectives from the best to the worst.
#include <cstddef>
#include <vector>

#include "tuner/core/front.h"

namespace tune::strategies {

// The best `most` of the points: front after front, and of the front that goes only in part those that
// together dominate most, one after the other (Ozaki, Tanigaki, Watanabe & Onishi, "Multiobjective
// Tree-Structured Parzen Estimator for Computationally Expensive Optimization Problems", GECCO 2020; greedily
// as in Guerreiro, Fonseca & Paquete, "Greedy Hypervolume Subset Selection in Low Dimensions", Evolutionary
// Computation 24(3), 2016). Areas are of losses in units of that front's range, within a reference a tenth
// beyond its worst. Indices; the earlier of equals first.
std::vector<std::size_t> best_by_fronts(const std::vector<LossPair>& points, std::size_t most);

}  // namespace tune::strategies
