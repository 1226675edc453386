#pragma once
// Which trial of a study with two objectives is promoted, and whether it takes a version's place.
#include <optional>
#include <string>

#include "store/model_registry.h"
#include "store/study_store.h"
#include "tuner/core/preference.h"
#include "tuner/engine/promotion/promotion.h"

namespace tune::engine {

// The trial of the front that the spec's promote.prefer takes, or why there is none. The study has completed
// trials. Throws Error(kUsage) where the spec prefers nothing.
struct Preferred {
  std::optional<int> trial;
  int nearest = 0;        // where there is none: the trial that is nearest to keeping to the bounds
  std::string objection;  // and a sentence about it
};
Preferred preferred_of(const store::StudyStore& store);

// The rule for a preferred trial: a model's first version is promoted; after that one that is preferred to
// the current version, whose two values its lineage holds, or that keeps to bounds which that version does
// not keep to.
Gate judge_preferred(const History& history, const Preference& preference, const std::vector<double>& values,
                     const std::optional<store::ModelVersion>& current);

// For a lineage: [{"metric": "accuracy", "goal": "maximize", "value": 0.93}, ...].
Json objective_values_json(const store::StudyRow& study, const std::vector<double>& values);

}  // namespace tune::engine
