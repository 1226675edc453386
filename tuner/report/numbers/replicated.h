#pragma once
// A study's replicates, out of its rows.
#include <vector>

#include "store/study_store.h"
#include "tuner/core/replication.h"

namespace tune::report {

Replication replication_of(const std::vector<store::TrialRow>& trials, const Objective& objective);

// How often a trial was repeated.
struct RepeatCount {
  int begun = 0, failed = 0;
};
RepeatCount count_repeats(const std::vector<store::TrialRow>& trials, int trial);

// Those of the search: its limit counts neither replicates nor repeats.
int count_searched(const std::vector<store::TrialRow>& trials);

}  // namespace tune::report
