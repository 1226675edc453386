#pragma once
// How classifiers of anything are optimized: hyperparameters and the plan that they give.
#include <vector>

#include "trainer/loop/hyperparameters.h"
#include "trainer/loop/plan.h"

namespace tune::trainer::classification {

// The optimizer's kind, its rate, its numbers: learning_rate, optimizer, momentum, weight_decay and so on.
std::vector<loop::Hyperparameter> optimizer_hyperparameters(double learning_rate, double weight_decay);
// label_smoothing, dropout, class_weights and balanced_sampling.
std::vector<loop::Hyperparameter> loss_hyperparameters();

// The plan of loop::plan_hyperparameters(), loop::transfer_hyperparameters() and these. Where learning_rate
// is not given, a head on frozen features learns at 0.003. Throws Error(kBadSpec) where they contradict each
// other.
loop::Plan fine_tuning_plan(const loop::Hyperparameters& values);

// Weight decay of the head's weights as head_weight_decay says, where that is given; `head` is what the names
// of its parameters begin with.
std::vector<loop::ParameterGroup> fine_tuning_groups(const torch::nn::Module& module,
                                                     const std::vector<std::string>& head,
                                                     const loop::Hyperparameters& values);

}  // namespace tune::trainer::classification
