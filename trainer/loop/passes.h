#pragma once
// A batch's way through the model, there and back.
#include <iosfwd>
#include <memory>

#include "trainer/loop/device.h"
#include "trainer/loop/device_graph.h"
#include "trainer/loop/training.h"

namespace tune::trainer::loop {

// Batches until libraries have chosen their algorithms and gradients have their places; the next is recorded.
inline constexpr int kWarmUps = 3;

// Forward and backward passes: gradients add up in the model's parameters, losses on the device. Owned by
// whoever trains, on its thread. With a graph, the passes of the first batches are done operator by operator,
// those of one are then recorded, and later batches of the same shapes repeat them: gradients must then stay
// where they are (Optimizer).
class Passes {
 public:
  // `graph` may be nullptr. That the passes cannot be recorded goes to `notes`, once.
  Passes(Training& training, const Compute& compute, std::unique_ptr<DeviceGraph> graph, std::ostream& notes);

  // What was recorded no longer holds. The next batches are as the first ones were, for this graph.
  void start_anew(std::unique_ptr<DeviceGraph> graph);

  // Adds the gradients of the batch's mean loss over `divisor`, and its losses times its weight.
  void run(const Batch& batch, double divisor);

  // double [2, Recipe::loss_names]: two sums of the same, for two readers, who set them to 0 in place.
  torch::Tensor& loss_sums() { return loss_sums_; }

 private:
  void compute(const weights::TensorMap& tensors);
  bool take_in(const weights::TensorMap& tensors);  // false: not of the shapes that the graph is for
  void record();

  Training& training_;
  const Compute compute_;
  std::unique_ptr<DeviceGraph> graph_;
  std::ostream& notes_;
  torch::Tensor loss_sums_;
  torch::Tensor divisor_, weight_;  // of the batch under way; scalars on the device
  weights::TensorMap inputs_;       // that the graph reads
  int warm_ups_ = 0;
  bool recorded_ = false;
};

}  // namespace tune::trainer::loop
