#include "trainer/tasks/detection/parameter_groups.h"

#include <set>

namespace tune::trainer::detection {
namespace {

std::set<std::string> layer_biases(const torch::nn::Module& model) {
  std::set<std::string> names;
  for (const auto& child : model.named_modules())
    if (child.value()->as<torch::nn::Conv2d>() || child.value()->as<torch::nn::Linear>())
      names.insert(child.key() + (child.key().empty() ? "bias" : ".bias"));
  return names;
}

}  // namespace

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

}  // namespace tune::trainer::detection
