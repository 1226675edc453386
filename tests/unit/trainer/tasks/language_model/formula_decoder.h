#pragma once
// Language models whose weights a formula gives, the same in Python
// (tests/golden/language_model/make_golden.py).
#include <cmath>
#include <fstream>

#include "torch_catch.h"
#include "trainer/nn/decoder.h"
#include "trainer/tasks/language_model/base_shape.h"
#include "unit/trainer/noise.h"

namespace tune::tests {

inline Json golden_of(const std::string& name) {
  std::ifstream in(std::string(TUNE_SOURCE_DIR) + "/tests/golden/language_model/" + name);
  return Json::parse(in);
}

inline std::filesystem::path golden_file(const std::string& name) {
  return std::filesystem::path(TUNE_SOURCE_DIR) / "tests/golden/language_model" / name;
}

inline void fill_decoder(trainer::nn::Decoder& decoder) {
  const torch::NoGradGuard no_grad;
  for (auto& parameter : decoder->named_parameters()) {
    const std::string& name = parameter.key();
    torch::Tensor& tensor = parameter.value();
    const torch::Tensor u = noise(name, tensor.numel()).view(tensor.sizes());
    if (name.find("embed_tokens") != std::string::npos)
      tensor.copy_(u * 2);
    else if (tensor.dim() > 1)
      tensor.copy_(u * std::sqrt(18.0 / static_cast<double>(tensor.size(1))));
    else if (name.ends_with("norm.weight"))
      tensor.copy_(u * 0.5 + (decoder->shape().norms_add_one ? 0 : 1));
    else
      tensor.copy_(u * 0.2);
  }
}

inline trainer::nn::Decoder formula_decoder(const Json& config) {
  trainer::nn::Decoder decoder(trainer::language_model::shape_from_config(config, "config.json"));
  fill_decoder(decoder);
  decoder->eval();
  return decoder;
}

// Of 64 words.
inline torch::Tensor formula_ids(const std::string& name, std::int64_t rows, std::int64_t length) {
  return ((noise(name, rows * length) + 0.5) * 64).to(torch::kLong).view({rows, length});
}

inline torch::Tensor logits_of(trainer::nn::Decoder& decoder, const torch::Tensor& ids) {
  const torch::Tensor hidden = decoder->forward({.ids = ids});
  return trainer::nn::logits_of(hidden, decoder->output());
}

inline torch::Tensor as_tensor(const Json& numbers) {
  const auto values = numbers.get<std::vector<double>>();
  return torch::tensor(at::ArrayRef<double>(values), torch::kDouble);
}

// The largest difference.
inline double distance(const torch::Tensor& a, const Json& golden) {
  return (a.to(torch::kDouble).reshape({-1}) - as_tensor(golden)).abs().max().item<double>();
}

}  // namespace tune::tests
