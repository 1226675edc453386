#pragma once
// What a new study learns from earlier ones: their trials, as points of its own space.
#include <filesystem>
#include <string>
#include <vector>

#include "store/study_facts.h"
#include "tuner/core/history.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

struct WarmStartTrials {
  std::vector<EarlierTrial> trials;  // in the order of the spec's warm_start, then by number
  std::vector<std::string> notices;  // a line for each earlier study: what was taken, what was left out, why
  std::vector<store::WarmStartCounts> counts;  // the same for programs
};

// Reads the studies that the spec's warm_start names from `store`, read-only. It takes completed trials with
// a finite value, and from an identical study stopped and failed ones too. A trial outside the new ranges is
// left out. The value of a parameter that only the earlier study searched is dropped; where only the new
// study searches it, an identical study's trial is left out, and a transferred one gets a random value of it,
// out of `seed`, since nothing is known of its influence. The earlier study's `fixed` value stands in where
// it has one, else what the spec's `assume` says. Throws SpecError, with a place each, for a study that is
// not there, another goal (identical: another metric too), and one without a shared parameter.
WarmStartTrials read_warm_start(const std::filesystem::path& store, const Spec& spec, std::uint64_t seed);

}  // namespace tune::engine
