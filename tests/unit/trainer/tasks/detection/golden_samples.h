#pragma once
// Tensors against what a script in tests/golden/detection/ wrote of them.
#include "torch_catch.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/json.h"

namespace tune::tests {

// The tensor's values at the places that the file has, and its moments.
inline void check_samples(const torch::Tensor& tensor, const Json& expected, double margin,
                          double share = 1e-4) {
  REQUIRE(tensor.sizes().vec() == expected["shape"].get<std::vector<std::int64_t>>());
  const torch::Tensor flat = tensor.detach().contiguous().view(-1);
  const torch::Tensor found = flat.slice(0, 0, flat.numel(), expected["step"].get<std::int64_t>());
  const auto values = expected["values"].get<std::vector<float>>();
  REQUIRE(found.numel() == static_cast<std::int64_t>(values.size()));
  CHECK((found - torch::tensor(values)).abs().max().item<double>() <= margin);
  CHECK(flat.to(torch::kDouble).mean().item<double>() ==
        Approx(expected["mean"].get<double>()).margin(margin));
  CHECK(flat.to(torch::kDouble).square().mean().item<double>() ==
        Approx(expected["mean_square"].get<double>()).epsilon(share));
}

inline std::vector<std::string> names_of(const torch::nn::Module& module) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : trainer::weights::state_dict(module)) names.push_back(name);
  return names;
}

}  // namespace tune::tests
