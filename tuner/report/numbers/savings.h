#pragma once
// What a study spent well, and what it did not spend.
#include <optional>
#include <vector>

#include "tuner/report/numbers/study_rows.h"

namespace tune::report {

// The trials of the leaderboard that no other one beats in both device time and value, cheapest first.
std::vector<store::TrialRow> cheapest_and_best(const StudyRows& rows, const CostReport& costs);

// What the stop rule saved, estimated: each trial that it stopped, or that waits, would have taken as long as
// the median of the completed ones of the search: replicates and repeats are of chosen points. nullopt when
// it stopped none, or none completed.
struct Savings {
  int trials = 0;
  Cost cost;
};
std::optional<Savings> savings(const StudyRows& rows, const CostReport& costs);

}  // namespace tune::report
