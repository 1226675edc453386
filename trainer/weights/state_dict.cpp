#include "trainer/weights/state_dict.h"

#include <algorithm>
#include <set>

namespace tune::trainer::weights {
namespace {

bool is_optional(const std::string& name) { return name.ends_with("num_batches_tracked"); }

}  // namespace

TensorMap state_dict(const torch::nn::Module& module) {
  TensorMap tensors;
  for (const auto& parameter : module.named_parameters()) tensors[parameter.key()] = parameter.value();
  for (const auto& buffer : module.named_buffers()) tensors[buffer.key()] = buffer.value();
  return tensors;
}

std::vector<std::pair<std::string, torch::Tensor>> ordered_state(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, torch::Tensor>> tensors;
  const auto add = [&](const torch::nn::Module& part, const std::string& prefix) {
    for (const auto& parameter : part.named_parameters(/*recurse=*/false))
      tensors.emplace_back(prefix + parameter.key(), parameter.value());
    for (const auto& buffer : part.named_buffers(/*recurse=*/false))
      tensors.emplace_back(prefix + buffer.key(), buffer.value());
  };
  add(module, "");
  for (const auto& part : module.named_modules(/*name_prefix=*/std::string(), /*include_self=*/false))
    add(*part.value(), part.key() + ".");
  return tensors;
}

LoadReport load_state_dict(torch::nn::Module& module, const TensorMap& tensors, const std::string& prefix) {
  const torch::NoGradGuard no_grad;
  TensorMap own = state_dict(module);
  LoadReport report;
  std::set<std::string> seen;
  for (const auto& [name, tensor] : tensors) {
    auto target = own.find(name);
    if (target == own.end() && !prefix.empty()) target = own.find(prefix + name);
    if (target == own.end()) {
      report.unexpected.push_back(name);
      continue;
    }
    seen.insert(target->first);
    if (target->second.sizes() != tensor.sizes()) {
      report.mismatched.push_back({target->first, tensor.sizes().vec(), target->second.sizes().vec()});
      continue;
    }
    target->second.copy_(tensor);
    report.loaded.push_back(target->first);
  }
  for (const auto& [name, tensor] : own)
    if (!seen.contains(name) && !is_optional(name)) report.missing.push_back(name);
  return report;
}

std::string shape_text(at::IntArrayRef sizes) {
  std::string text = "[";
  for (std::size_t i = 0; i < sizes.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(sizes[i]);
  return text + "]";
}

std::string first_names(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

}  // namespace tune::trainer::weights
