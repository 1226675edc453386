#include "trainer/tasks/detection/recipes.h"

#include <set>

#include "trainer/loop/transfer.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

using loop::choice, loop::flag, loop::real;
using loop::Hyperparameter;
using loop::Recipe;

// The step of the optimizer where the line has one (evaluations every few steps), else the epoch.
constexpr const char* kStepRegex = "epoch=(?:[0-9]+, step=)?([0-9]+)";

Recipe legacy_recipe() {
  Recipe recipe;
  recipe.name = "legacy";
  recipe.description = "SGD with momentum; prints the lines of SageMaker's built-in Object Detection";
  recipe.hyperparameters = {
      real("learning_rate", 0.01, 1e-6, 0.5, "log", "of SGD"),
      real("momentum", 0.9, 0, 0.999, "reverse_log", "of SGD"),
      real("weight_decay", 5e-4, 0, 0.999, "log",
           "L2 penalty on weights; biases and normalisation have none"),
      weighty(choice("optimizer", {"sgd", "adam"},
                     "adam takes learning_rate, and has no momentum of its own to set")),
      flag("nesterov", false, "Nesterov's momentum in SGD"),
  };
  const std::string step = kStepRegex, number = "\\(([0-9.]+)\\)";
  recipe.metrics = {{"validation:mAP", "maximize", "validation mAP <score>=" + number, step},
                    {"validation:mAP50", "maximize", "validation mAP50 <score>=" + number, step},
                    {"train:cross_entropy", "minimize", "train cross_entropy <loss>=" + number, step},
                    {"train:smooth_l1", "minimize", "train smooth_l1 <loss>=" + number, step}};
  recipe.loss_names = {"train:cross_entropy", "train:smooth_l1"};
  recipe.metric_names = {"validation:mAP", "validation:mAP50"};
  return recipe;
}

Recipe latest_recipe() {
  Recipe recipe;
  recipe.name = "latest";
  recipe.description = "Adam; prints the lines of SageMaker JumpStart's SSD, and the mAP";
  recipe.hyperparameters = {
      real("adam_learning_rate", 1e-3, 1e-6, 0.5, "log", "of Adam"),
      weighty(choice("optimizer", {"adamw", "adam"}, "adamw decouples the weight decay from the gradient")),
      real("weight_decay", 0.05, 0, 0.999, "log", "on weights; biases and normalisation have none"),
      real("beta1", 0.9, 0, 0.999, "reverse_log", "decay of Adam's mean of gradients"),
      real("beta2", 0.999, 0, 0.99999, "reverse_log", "decay of Adam's mean of squared gradients"),
      real("epsilon", 1e-8, 1e-12, 1, "log", "added to Adam's divisor"),
  };
  const std::string epoch = loop::kHeadRegex, step = kStepRegex, number = "([0-9.]+)";
  recipe.metrics = {
      {"validation:mAP", "maximize", "validation mAP <score>=\\(" + number + "\\)", step},
      {"validation:mAP50", "maximize", "validation mAP50 <score>=\\(" + number + "\\)", step},
      {"Val_CrossEntropy", "minimize", "Val_CrossEntropy=" + number, epoch},
      {"Val_SmoothL1", "minimize", "Val_SmoothL1=" + number, epoch},
      {"CrossEntropy", "minimize", "\\bCrossEntropy=" + number, epoch},
      {"SmoothL1", "minimize", "\\bSmoothL1=" + number, epoch},
  };
  recipe.loss_names = {"CrossEntropy", "SmoothL1"};
  recipe.metric_names = {"validation:mAP", "validation:mAP50", "Val_CrossEntropy", "Val_SmoothL1"};
  return recipe;
}

std::set<std::string> layer_biases(const torch::nn::Module& model) {
  std::set<std::string> names;
  for (const auto& child : model.named_modules())
    if (child.value()->as<torch::nn::Conv2d>() || child.value()->as<torch::nn::Linear>())
      names.insert(child.key() + (child.key().empty() ? "bias" : ".bias"));
  return names;
}

}  // namespace

const std::vector<Recipe>& detection_recipes() {
  static const std::vector<Recipe> recipes = [] {
    std::vector<Hyperparameter> shared = loop::plan_hyperparameters("images");
    for (Hyperparameter& row : shared)
      if (row.name == "batch_size") row.least_part = loop::kNormalisedPart;
    shared.push_back(flag("augmentation", true, "flips, crops, brightness and contrast"));
    for (Hyperparameter& row : loop::transfer_hyperparameters()) shared.push_back(std::move(row));
    std::vector<Recipe> made{legacy_recipe(), latest_recipe()};
    for (Recipe& recipe : made)
      recipe.hyperparameters.insert(recipe.hyperparameters.end(), shared.begin(), shared.end());
    return made;
  }();
  return recipes;
}

const Recipe& detection_recipe(const std::string& name) {
  return loop::recipe_named(detection_recipes(), name);
}

loop::Plan make_plan(const loop::Recipe& recipe, const loop::Hyperparameters& values) {
  loop::Plan plan = loop::make_plan(values);
  plan.optimizer.kind = loop::optimizer_kind(values.text("optimizer"));
  plan.optimizer.weight_decay = values.number("weight_decay");
  if (recipe.name == "legacy") {
    plan.schedule.base = values.number("learning_rate");
    plan.optimizer.momentum = values.number("momentum");
    plan.optimizer.nesterov = values.flag("nesterov");
  } else {
    plan.schedule.base = values.number("adam_learning_rate");
    plan.optimizer.beta1 = values.number("beta1");
    plan.optimizer.beta2 = values.number("beta2");
    plan.optimizer.epsilon = values.number("epsilon");
  }
  return plan;
}

std::vector<loop::ParameterGroup> parameter_groups(const torch::nn::Module& model, double weight_decay,
                                                   double bias_factor) {
  std::vector<loop::ParameterGroup> groups = loop::groups_by_dimension(model, weight_decay);
  if (bias_factor == 1) return groups;
  const std::set<std::string> biases = layer_biases(model);
  loop::ParameterGroup apart;
  apart.rate_factor = bias_factor;
  for (loop::ParameterGroup& group : groups)
    std::erase_if(group.parameters, [&](const std::string& name) {
      if (!biases.contains(name)) return false;
      apart.parameters.push_back(name);
      return true;
    });
  groups.push_back(std::move(apart));
  return groups;
}

std::vector<std::string> metric_lines(const loop::Recipe& recipe, const loop::Report& report, bool by_steps) {
  const std::string epoch = std::to_string(report.epoch), step = std::to_string(report.step);
  const std::string quality =
      "#quality_metric: host=algo-1, epoch=" + epoch + (by_steps ? ", step=" + step : "") + ", ";
  const auto value = [&](const std::string& name) { return loop::fixed_point(report.metrics.at(name)); };
  std::vector<std::string> lines;
  if (recipe.name == "legacy") {
    if (!report.losses.empty()) {
      lines.push_back(quality + "train cross_entropy <loss>=(" + loop::fixed_point(report.losses[0]) + ")");
      lines.push_back(quality + "train smooth_l1 <loss>=(" + loop::fixed_point(report.losses[1]) + ")");
    }
  } else {
    const std::string head = loop::line_head(report, by_steps);
    if (!report.losses.empty())
      lines.push_back(head + "Training cost: " + loop::fixed_point(report.losses[0] + report.losses[1]) +
                      ", CrossEntropy=" + loop::fixed_point(report.losses[0]) +
                      ", SmoothL1=" + loop::fixed_point(report.losses[1]));
    lines.push_back(head + "Validation: Val_CrossEntropy=" + value("Val_CrossEntropy") +
                    ", Val_SmoothL1=" + value("Val_SmoothL1"));
  }
  lines.push_back(quality + "validation mAP <score>=(" + value("validation:mAP") + ")");
  lines.push_back(quality + "validation mAP50 <score>=(" + value("validation:mAP50") + ")");
  return lines;
}

}  // namespace tune::trainer::detection
