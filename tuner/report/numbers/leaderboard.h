#pragma once
// The ranking of the trials that completed.
#include <optional>
#include <vector>

#include "store/study_store.h"

namespace tune::report {

// Completed trials with a finite value, best first, the earlier of equals first; with replicates in the order
// that these give (Replication::ranking()), and without them.
std::vector<store::TrialRow> leaderboard(const std::vector<store::TrialRow>& trials,
                                         const Objective& objective);
std::optional<store::TrialRow> best_trial(const std::vector<store::TrialRow>& trials,
                                          const Objective& objective);

}  // namespace tune::report
