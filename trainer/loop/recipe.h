#pragma once
// A way to train that has a name: its hyperparameters, and the metrics that it prints.
#include <string>
#include <vector>

#include "trainer/loop/hyperparameters.h"

namespace tune::trainer::loop {

struct MetricDefinition {
  std::string name, goal, regex, step;
};

struct Recipe {
  std::string name, description;
  std::vector<Hyperparameter> hyperparameters;
  std::vector<MetricDefinition> metrics;  // the first is the usual objective
  std::vector<std::string> loss_names;    // of the training; rows of `metrics`
  std::vector<std::string> metric_names;  // of the validation, likewise
};

// Throws Error(kBadSpec) with the names that there are.
const Recipe& recipe_named(const std::vector<Recipe>& recipes, const std::string& name);
// As `tune-train describe --json` shows it.
OrderedJson describe(const Recipe& recipe);

}  // namespace tune::trainer::loop
