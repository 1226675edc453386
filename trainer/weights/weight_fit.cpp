#include "trainer/weights/weight_fit.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace tune::trainer::weights {
namespace {

constexpr double kLeast = 0.9;

// What does not fit, for one.
std::string first_difference(const LoadReport& report, const IsBase& is_base) {
  for (const Mismatch& mismatch : report.mismatched)
    if (is_base(mismatch.name)) {
      std::ostringstream text;
      text << mismatch.name << " is " << c10::IntArrayRef(mismatch.in_file) << " in the file and "
           << c10::IntArrayRef(mismatch.in_model) << " in the model";
      return text.str();
    }
  for (const auto& [names, what] : {std::make_pair(&report.unexpected, "the model has no "),
                                    std::make_pair(&report.missing, "the file has no ")})
    if (const auto found = std::find_if(names->begin(), names->end(), is_base); found != names->end())
      return what + *found;
  return {};
}

}  // namespace

double WeightFit::share() const {
  const std::int64_t larger = std::max(base, base_in_file);
  return larger == 0 ? 0 : static_cast<double>(base_fit) / static_cast<double>(larger);
}

bool WeightFit::is_same_network() const {
  return share() >= kLeast || (fit > 0 && static_cast<double>(fit) >= kLeast * static_cast<double>(in_file));
}

WeightFit weight_fit(const TensorMap& own, const TensorMap& tensors, const IsBase& is_base,
                     const std::string& prefix) {
  WeightFit result;
  for (const auto& [name, tensor] : own)
    if (tensor.is_floating_point() && is_base(name)) result.base += tensor.numel();
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point()) continue;
    const bool base = is_base(name);
    result.in_file += tensor.numel();
    if (base) result.base_in_file += tensor.numel();
    auto target = own.find(name);
    if (target == own.end()) target = own.find(prefix + name);
    if (target == own.end() || !target->second.is_floating_point() ||
        target->second.sizes() != tensor.sizes())
      continue;
    result.fit += tensor.numel();
    if (base) result.base_fit += tensor.numel();
  }
  return result;
}

std::string refusal_of(const WeightFit& fit, const LoadReport& report, const IsBase& is_base,
                       const std::string& model, const std::string& name) {
  if (fit.is_same_network()) return {};
  const std::string difference = first_difference(report, is_base);
  return (fit.fit == 0 ? "no weight fits the model " + name
                       : "another network's weights: " + percent(fit.share()) + " of them fit " + model) +
         (difference.empty() ? "" : ": " + difference);
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", std::floor(share * 1000) / 10);
  return text;
}

}  // namespace tune::trainer::weights
