#pragma once
// A moving average of a model's weights.
#include "trainer/loop/plan.h"
#include "trainer/weights/state_dict.h"

namespace tune::trainer::loop {

// The exponential average of the parameters that are trained and of the floating buffers, as torchvision's
// ExponentialMovingAverage: the first update copies, and so does every one during the warm-up. Owned by one
// training loop, on its thread; the module must outlive it. Without a decay it holds nothing and does
// nothing.
class WeightAverage {
 public:
  WeightAverage(const torch::nn::Module& module, const Averaging& averaging);

  bool is_kept() const { return decay_ > 0; }
  // After a step of the optimizer: its number, from 1. `warm`: the warm-up is over.
  void step(std::int64_t number, bool warm);
  // The average and the module's own tensors change places: for an evaluation, and back.
  void swap();

  // For a checkpoint whose model has the average in the module's place: puts the average into `model`, and
  // the module's own tensors, as "NAME.own", into `beside`.
  void add_to(weights::TensorMap& model, weights::TensorMap& beside) const;
  // The other way round, once the module holds what the checkpoint's model has. Throws Error(kBadData) where
  // a tensor is missing or has another shape.
  void restore(const weights::TensorMap& beside);

 private:
  std::vector<std::string> names_;
  std::vector<torch::Tensor> own_, average_;  // the module's, which share its memory, and ours
  double decay_ = 0;
  std::int64_t every_ = 1;
};

}  // namespace tune::trainer::loop
