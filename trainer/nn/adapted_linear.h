#pragma once
// A linear layer that low-rank adapters can sit on (LoRA: Hu et al., arXiv 2106.09685).
#include <functional>
#include <map>
#include <string>

#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// Weights as a file packed them: bytes of rows, and what makes numbers of them.
struct PackedWeight {
  torch::Tensor bytes;  // uint8 [out, bytes of a row]
  // Rows of numbers [out, in] of that dtype, on the bytes' device.
  std::function<torch::Tensor(const torch::Tensor& bytes, at::ScalarType dtype)> unpack;
};

// y = x W' + b, and on top of it scale * dropout(x) A' B' of the adapter in use. Parameters are "weight",
// "bias", and of each adapter "lora_A.NAME.weight" [rank, in] and "lora_B.NAME.weight" [out, rank], which are
// fp32 whatever the weight is. Weights begin uninitialised.
class AdaptedLinearImpl : public torch::nn::Module {
 public:
  AdaptedLinearImpl(std::int64_t in, std::int64_t out, bool has_bias);

  torch::Tensor forward(const torch::Tensor& x);  // [..., in] to [..., out]

  // From now on the weight, which is not trained then, stays packed: it is unpacked where it is used, once in
  // the forward pass and once in the backward pass, and forgotten.
  void hold_packed(PackedWeight weight);
  bool is_packed() const { return static_cast<bool>(unpack_); }

  // A begins as Kaiming's uniform distribution with a = sqrt(5), B as 0, so that it changes nothing yet.
  void add_adapter(const std::string& name, std::int64_t rank, double scale, double dropout);
  bool has_adapter(const std::string& name) const { return adapters_.contains(name); }
  // The one that forward() adds, if this layer has it; "": none.
  void use_adapter(const std::string& name) { used_ = name; }
  // What an adapter adds to the weight: float [out, in].
  torch::Tensor change(const std::string& name) const;

  torch::Tensor weight, bias;  // the latter may be undefined

 private:
  struct Adapter {
    torch::nn::Linear a{nullptr}, b{nullptr};
    double scale = 1, dropout = 0;
  };
  const std::int64_t in_, out_;
  std::function<torch::Tensor(const torch::Tensor&, at::ScalarType)> unpack_;
  std::shared_ptr<torch::nn::Module> parts_a_, parts_b_;  // those that hold the adapters' layers
  std::map<std::string, Adapter> adapters_;
  std::string used_;
};
TORCH_MODULE(AdaptedLinear);

}  // namespace tune::trainer::nn
