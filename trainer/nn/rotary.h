#pragma once
// Rotary embeddings: where in a text a vector stands, as angles by which pairs of its numbers are rotated.
#include <utility>

#include "trainer/nn/decoder_shape.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// Angles per position: float [head_width / 2], on the CPU.
torch::Tensor rotary_frequencies(const Rotary& rotary, std::int64_t head_width);

struct Rotation {
  torch::Tensor cosines, sines;  // [batch, 1, length, head_width]
};
// Of `positions` int64 [batch, length], for vectors of `dtype`; computed in fp32.
Rotation rotation_at(const torch::Tensor& positions, const torch::Tensor& frequencies, double magnitude,
                     at::ScalarType dtype);

// `x` [batch, heads, length, head_width], whose first half is rotated with its second, as Hugging Face lays
// weights out (and GGUF files do not).
torch::Tensor rotated(const torch::Tensor& x, const Rotation& rotation);

}  // namespace tune::trainer::nn
