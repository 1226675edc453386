#pragma once
// Optimizers as torch.optim has them. Those that LibTorch has fused kernels of take one pass over the memory
// of each parameter, on the CPU and on a GPU.
#include <map>
#include <string>
#include <vector>

#include "trainer/torch_compat.h"
#include "trainer/weights/state_dict.h"

namespace tune::trainer::loop {

enum class OptimizerKind { kSgd, kAdam, kAdamW, kRmsprop, kAdagrad, kAdadelta };

struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::kSgd;
  double momentum = 0.9;              // kSgd, kRmsprop; PyTorch's form: v = m v + g, w -= rate v
  bool nesterov = false;              // kSgd
  double beta1 = 0.9, beta2 = 0.999;  // kAdam, kAdamW
  double epsilon = 1e-8;              // all but kSgd
  double alpha = 0.99;                // kRmsprop, kAdadelta: decay of the mean of squared gradients
  double initial_accumulator = 0;     // kAdagrad: what the sum of squared gradients begins at
  // In kAdamW it is decoupled from the gradient (Loshchilov & Hutter, ICLR 2019).
  double weight_decay = 0;
  double gradient_clip = 0;  // the largest norm of all gradients together; 0: no limit
};

// Parameters that are optimized alike.
struct ParameterGroup {
  std::vector<std::string> parameters;  // as the module names them
  double rate_factor = 1;               // their learning rate, as a multiple of the schedule's
  double weight_decay = 0;
};

// Weight decay for parameters of two dimensions or more, none for the others: biases and normalisation.
// Frozen parameters are left out.
std::vector<ParameterGroup> groups_by_dimension(const torch::nn::Module& module, double weight_decay);

// What becomes of gradients after a step.
enum class Gradients {
  kDropped,  // their memory serves the next forward pass
  kStay,     // at 0 in their places, where a recorded step adds to them
};

// Owned by one training loop, on its thread. Holds references to the module's parameters, whose memory must
// stay.
class Optimizer {
 public:
  // Each parameter that needs a gradient is in one of the groups, and no other is.
  Optimizer(const torch::nn::Module& module, const OptimizerSettings& settings,
            const std::vector<ParameterGroup>& groups, Gradients gradients = Gradients::kDropped);
  Optimizer(const torch::nn::Module& module, const OptimizerSettings& settings);  // groups_by_dimension()

  // One update with the gradients that backward() left. Parameters without one are skipped; one that has its
  // first gradient in a later step begins there as it would have in the first.
  void step(double learning_rate);
  // What a checkpoint keeps, under "<parameter>.<slot>" and "step": gradients too `within_a_step`, where some
  // are summed already.
  weights::TensorMap state(bool within_a_step = true) const;
  // Throws Error(kBadData) when a tensor is missing or has another shape.
  void load_state(const weights::TensorMap& state);

 private:
  struct Slot {
    std::string name;
    torch::Tensor parameter;
    torch::Tensor first, second;  // what they are depends on the kind; the second may be undefined
    std::size_t group = 0;
    std::int64_t skipped = 0;  // steps before its first gradient
  };
  void note_first_gradients();
  void number_steps(const std::vector<Slot*>& slots);
  void update(const std::vector<Slot*>& slots, double weight_decay, double learning_rate);
  void update_unfused(const std::vector<Slot*>& slots, double weight_decay, double learning_rate) const;
  void clip(const std::vector<Slot*>& slots) const;

  OptimizerSettings settings_;
  std::vector<ParameterGroup> groups_;
  Gradients gradients_ = Gradients::kDropped;
  std::vector<Slot> slots_;  // in the module's order
  std::int64_t steps_ = 0;   // taken so far
  // The number of the step under way, from 1, for slots that skipped so many: float, on the device.
  std::map<std::int64_t, torch::Tensor> step_numbers_;
};

}  // namespace tune::trainer::loop
