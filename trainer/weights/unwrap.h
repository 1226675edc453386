#pragma once
// Tensors' names as the model itself has them, out of the names that a training program saved.
#include <string>

#include "trainer/weights/pth.h"

namespace tune::trainer::weights {

struct Unwrapped {
  TensorMap tensors;
  std::string prefix;  // that was taken off ("module."), empty for none
};

// Takes off what PyTorch's wrappers put anywhere into a name (torch.compile's "_orig_mod." and the like), and
// of the prefixes that a tenth of the names share (DataParallel's "module.", Lightning's "model.",
// "backbone.body.") the one without which most fits; the shortest where several do alike. Names without that
// prefix stay as they are.
Unwrapped unwrap(const TensorMap& tensors, const Fit& fit);

}  // namespace tune::trainer::weights
