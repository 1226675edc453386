#pragma once
// What tensors are known by.
#include "trainer/weights/safetensors.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::weights {

// Adds names, types, shapes and bytes, in the order of the names.
void add_tensors(Sha256& hash, const TensorMap& tensors);

}  // namespace tune::trainer::weights
