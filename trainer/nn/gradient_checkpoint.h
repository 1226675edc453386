#pragma once
// Layers that are computed again in the backward pass instead of being remembered (Chen et al., arXiv
// 1604.06174).
#include <functional>

#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

using Layer = std::function<torch::Tensor(const torch::Tensor&)>;

// layer(x), of which nothing but `x` and the states of the random generators is kept. `x` needs a gradient;
// those of the layer's parameters are added where backward() adds them. What `layer` refers to must live
// until then.
torch::Tensor recomputed(const torch::Tensor& x, Layer layer);

}  // namespace tune::trainer::nn
