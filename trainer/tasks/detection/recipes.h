#pragma once
// How detectors are trained: the hyperparameters, the optimizer and the reported lines of each recipe.
#include <string>
#include <vector>

#include "trainer/loop/recipe.h"
#include "trainer/loop/training.h"

namespace tune::trainer::detection {

// legacy: SGD, and the lines of SageMaker's built-in Object Detection. latest: Adam, and the lines of its
// JumpStart SSD. Both losses are cross-entropy and smooth L1.
const std::vector<loop::Recipe>& detection_recipes();
// Throws Error(kBadSpec) with the names that there are.
const loop::Recipe& detection_recipe(const std::string& name);

// Throws Error(kBadSpec) where hyperparameters contradict each other.
loop::Plan make_plan(const loop::Recipe& recipe, const loop::Hyperparameters& values);

// Weight decay for weights alone, and a learning rate of their own, `bias_factor` times the others', for the
// biases of convolutions and linear layers. Those of normalisation layers are not among them.
std::vector<loop::ParameterGroup> parameter_groups(const torch::nn::Module& model, double weight_decay,
                                                   double bias_factor);

// Losses are left out of the report of an untrained model. `by_steps`: the lines name the step of the
// optimizer beside the epoch, and are read by it.
std::vector<std::string> metric_lines(const loop::Recipe& recipe, const loop::Report& report,
                                      bool by_steps = false);

}  // namespace tune::trainer::detection
