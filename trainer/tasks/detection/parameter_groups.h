#pragma once
// How a detector's parameters are optimized.
#include "trainer/loop/optimizer.h"

namespace tune::trainer::detection {

// Weight decay for weights alone, and a learning rate of their own, `bias_factor` times the others', for the
// biases of convolutions and linear layers. Those of normalisation layers are not among them.
std::vector<loop::ParameterGroup> parameter_groups(const torch::nn::Module& model, double weight_decay,
                                                   double bias_factor);

}  // namespace tune::trainer::detection
