#pragma once
// A history as if nothing had been repeated.
#include <optional>

#include "tuner/core/history.h"

namespace tune::strategies {

// The history without its replicates and repeats: a trial stands at its place in the search
// (TrialView::place()), and next_number() is the next place. nullopt where there are none, so that nothing is
// copied.
std::optional<History> without_repeats(const History& history);

// The same, with the mean of all its values as the value of each repeated trial: to a model with equal noise
// that is as much as the single values would tell.
std::optional<History> with_means(const History& history);

}  // namespace tune::strategies
