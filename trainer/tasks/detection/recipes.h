#pragma once
// How detectors are trained: the hyperparameters, the optimizer and the reported lines of each recipe.
#include <string>
#include <vector>

#include "trainer/loop/hyperparameters.h"
#include "trainer/loop/task.h"
#include "trainer/tasks/detection/models.h"

namespace tune::trainer::detection {

struct MetricDefinition {
  std::string name, goal, regex, step;
};

// legacy: SGD, and the lines of SageMaker's built-in Object Detection. latest: Adam, and the lines of its
// JumpStart SSD.
struct Recipe {
  std::string name, description;
  std::vector<loop::Hyperparameter> hyperparameters;
  std::vector<MetricDefinition> metrics;  // the first is the usual objective
  std::vector<std::string> loss_names;    // cross-entropy, smooth L1; rows of `metrics`
  std::vector<std::string> metric_names;  // of the validation, likewise
};

const std::vector<Recipe>& detection_recipes();
// Throws Error(kBadSpec) with the names that there are.
const Recipe& detection_recipe(const std::string& name);

// Throws Error(kBadSpec) where hyperparameters contradict each other.
loop::Plan make_plan(const Recipe& recipe, const loop::Hyperparameters& values,
                     const TrainingRules& rules = {});

// Losses are left out of the report of an untrained model.
std::vector<std::string> metric_lines(const Recipe& recipe, const loop::EpochReport& report);

}  // namespace tune::trainer::detection
