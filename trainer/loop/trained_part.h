#pragma once
// What of a model changes while it is trained: all that a checkpoint needs to hold of it.
#include <string>

#include "trainer/weights/state_dict.h"

namespace tune::trainer::loop {

// Parameters that are frozen (need no gradient) and buffers that keep their first values stay out of
// checkpoints, so that those of a small adapter are small whatever it sits on. Owned by one training loop,
// made before the first step; the module must outlive it. Without frozen parameters everything is held.
class TrainedPart {
 public:
  explicit TrainedPart(torch::nn::Module& module);

  // The tensors that a checkpoint holds now. They share the module's memory.
  weights::TensorMap now() const;
  // Puts a checkpoint's tensors into the module; all that it does not hold gets its first value. Throws
  // Error(kBadData) where they do not fit.
  void restore(const weights::TensorMap& held);
  // The whole model that a checkpoint's tensors stand for.
  weights::TensorMap whole(const weights::TensorMap& held) const;
  // SHA-256 of the names, types, shapes and bytes of the frozen parameters and of the first values of the
  // buffers; "" where nothing is frozen.
  const std::string& base_hash() const { return base_hash_; }

 private:
  torch::nn::Module& module_;
  weights::TensorMap frozen_;         // share the module's memory, since they do not change
  weights::TensorMap first_buffers_;  // copies
  std::string base_hash_;
};

}  // namespace tune::trainer::loop
