#include "trainer/tasks/detection/weight_fit.h"

#include <algorithm>

#include "trainer/tasks/detection/ssd_model.h"
#include "trainer/tasks/detection/weight_names.h"

namespace tune::trainer::detection {
namespace {

constexpr double kLeast = 0.9;

}  // namespace

double WeightFit::share() const {
  const std::int64_t larger = std::max(base, base_in_file);
  return larger == 0 ? 0 : static_cast<double>(base_fit) / static_cast<double>(larger);
}

bool WeightFit::is_same_network() const {
  return share() >= kLeast || (fit > 0 && static_cast<double>(fit) >= kLeast * static_cast<double>(in_file));
}

WeightFit weight_fit(const weights::TensorMap& own, const weights::TensorMap& tensors,
                     const DetectorModel& model) {
  WeightFit result;
  for (const auto& [name, tensor] : own)
    if (tensor.is_floating_point() && is_of_base_network(name, model)) result.base += tensor.numel();
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point()) continue;
    const bool is_base = is_of_base_network(name, model);
    result.in_file += tensor.numel();
    if (is_base) result.base_in_file += tensor.numel();
    auto target = own.find(name);
    if (target == own.end()) target = own.find(std::string(kBackbone) + name);
    if (target == own.end() || !target->second.is_floating_point() ||
        target->second.sizes() != tensor.sizes())
      continue;
    result.fit += tensor.numel();
    if (is_base) result.base_fit += tensor.numel();
  }
  return result;
}

}  // namespace tune::trainer::detection
