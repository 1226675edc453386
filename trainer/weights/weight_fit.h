#pragma once
// Whether tensors of a file are a model's own network, or another one's.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "trainer/weights/state_dict.h"

namespace tune::trainer::weights {

// Whether a tensor of that name is of the network that a model is built on: of all but its heads.
using IsBase = std::function<bool(std::string_view name)>;

// Counted in the numbers of floating tensors of the model: counters of batches say nothing about a network. A
// tensor fits where name and shape agree.
struct WeightFit {
  std::int64_t fit = 0;           // of all that is in the file
  std::int64_t in_file = 0;       // all of its floating numbers
  std::int64_t base_fit = 0;      // of the network that the model is built on
  std::int64_t base = 0;          // what that network has
  std::int64_t base_in_file = 0;  // what the file has under its names
  // The part of the larger of the two networks that they share: 0 to 1.
  double share() const;
  // Nine tenths of the base network agree, or nine tenths of what is in the file have their place in the
  // model (a part of a network, such as its first layers). Those who change a network for their data change
  // its first layer or norms, less than a tenth; of the nearest relatives ResNet-50 and 50-D share 0.88,
  // ResNet-101 and 152 0.73, ResNet-50 and 101 0.55, ResNet-18 and 34 0.53.
  bool is_same_network() const;
};

// `own` are the model's tensors; `tensors` go by its names, with or without `prefix`.
WeightFit weight_fit(const TensorMap& own, const TensorMap& tensors, const IsBase& is_base,
                     const std::string& prefix = {});

// Why a training does not start from the file; "" where it does. `model` is what the weights are for: "the
// backbone of the model ssd224-resnet18", whose name is `name`.
std::string refusal_of(const WeightFit& fit, const LoadReport& report, const IsBase& is_base,
                       const std::string& model, const std::string& name);

// "52.5 %", rounded down, so that the whole is said of the whole alone.
std::string percent(double share);

}  // namespace tune::trainer::weights
