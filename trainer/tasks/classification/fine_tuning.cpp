#include "trainer/tasks/classification/fine_tuning.h"

#include <algorithm>

namespace tune::trainer::classification {

using loop::choice, loop::flag, loop::real;

std::vector<loop::Hyperparameter> optimizer_hyperparameters(double learning_rate, double weight_decay) {
  return {
      real("learning_rate", learning_rate, 1e-6, 1, "log",
           "of the optimizer; where it is not given, a head on frozen features learns at 0.003"),
      weighty(choice("optimizer", {"adamw", "sgd", "adam", "rmsprop", "adagrad", "adadelta"},
                     "adamw decouples the weight decay from the gradient")),
      real("momentum", 0.9, 0, 0.999, "reverse_log", "of SGD and RMSprop"),
      flag("nesterov", false, "Nesterov's momentum in SGD"),
      real("weight_decay", weight_decay, 0, 0.999, "log", "on weights; biases and normalisation have none"),
      real("head_weight_decay", 0, 0, 0.999, "log",
           "on the head's weights; where it is not given, as weight_decay"),
      real("beta1", 0.9, 0, 0.999, "reverse_log", "decay of Adam's mean of gradients"),
      real("beta2", 0.999, 0, 0.99999, "reverse_log", "decay of Adam's mean of squared gradients"),
      real("epsilon", 1e-8, 1e-12, 1, "log", "added to the divisor of all optimizers but SGD"),
      real("alpha", 0.99, 0, 0.99999, "reverse_log",
           "decay of the mean of squared gradients in RMSprop and Adadelta"),
      real("initial_accumulator", 0, 0, 1, "linear", "what Adagrad's sum of squared gradients begins at")};
}

std::vector<loop::Hyperparameter> loss_hyperparameters() {
  return {real("label_smoothing", 0, 0, 0.9, "linear", "the part of the probability that all classes share"),
          real("dropout", 0, 0, 0.95, "linear",
               "of the head's input; where it is not given, what the network has of its own"),
          choice("class_weights", {"none", "balanced"},
                 "balanced: examples of rare classes count for more in the loss"),
          flag("balanced_sampling", false, "each epoch shows every class equally often")};
}

loop::Plan fine_tuning_plan(const loop::Hyperparameters& values) {
  constexpr double kHeadRate = 0.003;
  loop::Plan plan = loop::make_plan(values);
  const bool on_features = values.text("freeze") == "features";
  plan.schedule.base =
      on_features && !values.given("learning_rate") ? kHeadRate : values.number("learning_rate");
  plan.optimizer.kind = loop::optimizer_kind(values.text("optimizer"));
  plan.optimizer.weight_decay = values.number("weight_decay");
  const bool has_momentum = plan.optimizer.kind == loop::OptimizerKind::kSgd ||
                            plan.optimizer.kind == loop::OptimizerKind::kRmsprop;
  plan.optimizer.momentum = has_momentum ? values.number("momentum") : 0;
  plan.optimizer.nesterov = values.flag("nesterov");
  plan.optimizer.beta1 = values.number("beta1");
  plan.optimizer.beta2 = values.number("beta2");
  plan.optimizer.epsilon = values.number("epsilon");
  plan.optimizer.alpha = values.number("alpha");
  plan.optimizer.initial_accumulator = values.number("initial_accumulator");
  return plan;
}

std::vector<loop::ParameterGroup> fine_tuning_groups(const torch::nn::Module& module,
                                                     const std::vector<std::string>& head,
                                                     const loop::Hyperparameters& values) {
  std::vector<loop::ParameterGroup> groups = loop::groups_by_dimension(module, values.number("weight_decay"));
  if (!values.given("head_weight_decay")) return groups;
  loop::ParameterGroup of_head;
  of_head.weight_decay = values.number("head_weight_decay");
  std::erase_if(groups.front().parameters, [&](const std::string& name) {
    const bool is_head = std::any_of(head.begin(), head.end(),
                                     [&](const std::string& prefix) { return name.starts_with(prefix); });
    if (is_head) of_head.parameters.push_back(name);
    return is_head;
  });
  groups.push_back(std::move(of_head));
  return groups;
}

}  // namespace tune::trainer::classification
