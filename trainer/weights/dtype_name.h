#pragma once
// The names of dtypes, and what they can hold.
#include <string>

#include "trainer/torch_compat.h"

namespace tune::trainer::weights {

// "float32", as Python says.
std::string dtype_name(at::ScalarType dtype);

// Whether its numbers can be a network's as they stand. Whole numbers and 8-bit floats of quantized files
// stand for others, by a scale that lies elsewhere.
bool holds_weights(at::ScalarType dtype);

}  // namespace tune::trainer::weights
