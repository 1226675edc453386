#pragma once
// Products of a few rows with weights: what writing a token consists of.
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// Whether this processor has what few_rows_product() is made of (AVX2 and FMA).
bool has_few_rows_product();

// x W': float [.., in] and float [out, in], both on the CPU, the latter contiguous, to [.., out]. Without
// gradients. It reads the weights once, as quickly as memory gives them to all threads together, for up to 16
// rows. What it says of a row depends neither on the other rows nor on the number of threads.
torch::Tensor few_rows_product(const torch::Tensor& x, const torch::Tensor& weight);

}  // namespace tune::trainer::nn
