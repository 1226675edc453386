#pragma once
// Weights that a formula gives, the same in Python (tests/golden/detection/make_ssd_golden.py).
#include <cmath>

#include "trainer/weights/state_dict.h"
#include "unit/trainer/noise.h"

namespace tune::tests {

inline bool is_batch_norm_weight(const std::string& name) {
  return name.ends_with(".weight") && (name.find(".bn") != std::string::npos || name == "bn1.weight" ||
                                       name.ends_with("downsample.1.weight"));
}

inline void fill(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : trainer::weights::state_dict(module)) {
    if (name.ends_with("num_batches_tracked")) continue;
    const torch::Tensor u = noise(name, tensor.numel()).view(tensor.sizes());
    torch::Tensor target = tensor;
    if (tensor.dim() > 1)
      target.copy_(u * (std::sqrt(24.0 / static_cast<double>(tensor[0].numel())) *
                        (name == "backbone.features.0.weight" ? 1.0 / 64 : 1.0)));
    else if (name.ends_with("scale_weight"))
      target.copy_(u + 20.0);
    else if (name.ends_with("running_var"))
      target.copy_(u + 1.0);
    else if (is_batch_norm_weight(name))
      target.copy_(u * 0.4 + 0.5);
    else
      target.copy_(u * 0.2);
  }
}

// uint8 [size, size, 3]
inline torch::Tensor pixels(const std::string& name, std::int64_t size) {
  const torch::Tensor planes = ((noise(name, 3 * size * size) + 0.5) * 256).floor();
  return planes.view({3, size, size}).permute({1, 2, 0}).to(torch::kByte).contiguous();
}

}  // namespace tune::tests
