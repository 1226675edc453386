#pragma once
// Weights that a formula gives, the same in Python (tests/golden/image_classification/make_golden.py).
#include <cmath>

#include "trainer/weights/state_dict.h"
#include "unit/trainer/noise.h"

namespace tune::tests {

inline void fill_classifier(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : trainer::weights::state_dict(module)) {
    if (!tensor.is_floating_point()) continue;
    const torch::Tensor u = repeated_noise(name, tensor.numel()).view(tensor.sizes());
    torch::Tensor target = tensor;
    if (tensor.dim() == 3)
      target.copy_(u);
    else if (tensor.dim() > 1)
      target.copy_(u * std::sqrt(18.0 / static_cast<double>(tensor[0].numel())));
    else if (name.ends_with("running_var") || name.ends_with(".weight"))
      target.copy_(u * 0.5 + 1.0);
    else
      target.copy_(u * 0.2);
  }
}

// A module's tensors, with memory of their own.
inline trainer::weights::TensorMap copy_of(const torch::nn::Module& module) {
  trainer::weights::TensorMap copy;
  for (const auto& [name, tensor] : trainer::weights::state_dict(module))
    copy[name] = tensor.detach().clone(at::MemoryFormat::Contiguous);
  return copy;
}

}  // namespace tune::tests
