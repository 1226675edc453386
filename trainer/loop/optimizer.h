#pragma once
// Optimizers on LibTorch's fused kernels: one pass over the memory of each parameter, on the CPU and on a
// GPU.
#include <string>
#include <vector>

#include "trainer/torch_compat.h"
#include "trainer/weights/state_dict.h"

namespace tune::trainer::loop {

enum class OptimizerKind { kSgd, kAdam, kAdamW };

struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::kSgd;
  double momentum = 0.9;                              // kSgd; PyTorch's form: v = m v + g, w -= rate v
  bool nesterov = false;                              // kSgd
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // kAdam, kAdamW
  // Not applied to biases and normalisation parameters (those with fewer than two dimensions). In kAdamW it
  // is decoupled from the gradient (Loshchilov & Hutter, ICLR 2019).
  double weight_decay = 0;
  double bias_learning_rate = 1;  // of the biases of convolutions and linear layers, as a multiple
  double gradient_clip = 0;       // the largest norm of all gradients together; 0: no limit
};

// Owned by one training loop, on its thread. Holds references to the module's parameters, whose memory must
// stay.
class Optimizer {
 public:
  Optimizer(const torch::nn::Module& module, const OptimizerSettings& settings);

  // One update with the gradients that backward() left, which are then dropped. Parameters without one are
  // skipped.
  void step(double learning_rate);
  // What a checkpoint keeps, under "<parameter>.<slot>" and "step".
  weights::TensorMap state() const;
  // Throws Error(kBadData) when a tensor is missing or has another shape.
  void load_state(const weights::TensorMap& state);

 private:
  struct Slot {
    std::string name;
    torch::Tensor parameter;
    torch::Tensor first, second;  // momentum; second moment (Adam only)
    bool decays = true;
    bool is_bias = false;  // of a convolution or a linear layer
  };
  void update(const std::vector<Slot*>& slots, double weight_decay, double learning_rate);
  void clip(const std::vector<Slot*>& slots) const;

  OptimizerSettings settings_;
  std::vector<Slot> slots_;
  std::int64_t steps_ = 0;  // taken so far
};

}  // namespace tune::trainer::loop
