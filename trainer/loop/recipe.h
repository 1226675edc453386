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

// A metric that Training::metric_lines() prints as it does by default: "[Epoch 3] NAME=0.500000".
MetricDefinition plain_metric(const std::string& name, const std::string& goal);
// Finds the epoch in such a head of a line, or the step in "[Epoch 3, step 120]".
inline constexpr const char* kHeadRegex = "\\[Epoch (?:[0-9]+, step )?([0-9]+)\\]";
// Six digits behind the point, so that regexes made for digits and points read it whole.
std::string fixed_point(double number);

// Throws Error(kBadSpec) with the names that there are.
const Recipe& recipe_named(const std::vector<Recipe>& recipes, const std::string& name);
// As `tune-train describe --json` shows it.
OrderedJson describe(const Recipe& recipe);

}  // namespace tune::trainer::loop
