#pragma once
// What a forward pass costs in arithmetic, counted while it runs.
#include <cstdint>
#include <functional>

namespace tune::trainer::nn {

// The multiply-adds of the convolutions and matrix products that `forward` runs on this thread, whatever
// calls them: one for each product of a weight and an input, as torchvision and fvcore count "FLOPs".
// Everything else (activations, normalisation, pooling) is left out, as there. Padding counts as if it were
// pixels.
std::int64_t count_multiply_adds(const std::function<void()>& forward);

}  // namespace tune::trainer::nn
