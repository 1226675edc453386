#include "trainer/nn/few_rows_product.h"

#include <algorithm>

#include "trainer/libtorch_threads.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tune::trainer::nn {

#if defined(__x86_64__)
namespace {

constexpr std::int64_t kRowsAtOnce = 4;       // of x, whose sums fit into registers
constexpr std::int64_t kLeastPart = 1 << 15;  // numbers of the weight a thread: some ten microseconds

__attribute__((target("avx2,fma"))) inline float sum_of(__m256 a, __m256 b) {
  const __m256 eight = _mm256_add_ps(a, b);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// y[r * stride] = x[r] w for kRows rows that lie behind one another. Two sums a row hide the latency of an
// addition well enough for what memory delivers.
template <int kRows>
__attribute__((target("avx2,fma"))) void dots(const float* x, const float* w, std::int64_t in, float* y,
                                              std::int64_t stride) {
  __m256 even[kRows], odd[kRows];
  for (int row = 0; row < kRows; ++row) even[row] = odd[row] = _mm256_setzero_ps();
  std::int64_t i = 0;
  for (; i + 16 <= in; i += 16) {
    const __m256 first = _mm256_loadu_ps(w + i), second = _mm256_loadu_ps(w + i + 8);
    for (int row = 0; row < kRows; ++row) {
      even[row] = _mm256_fmadd_ps(first, _mm256_loadu_ps(x + row * in + i), even[row]);
      odd[row] = _mm256_fmadd_ps(second, _mm256_loadu_ps(x + row * in + i + 8), odd[row]);
    }
  }
  for (int row = 0; row < kRows; ++row) {
    float sum = sum_of(even[row], odd[row]);
    for (std::int64_t rest = i; rest < in; ++rest) sum += w[rest] * x[row * in + rest];
    y[row * stride] = sum;
  }
}

}  // namespace

bool has_few_rows_product() {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has;
}

torch::Tensor few_rows_product(const torch::Tensor& x, const torch::Tensor& weight) {
  const std::int64_t out = weight.size(0), in = weight.size(1), rows = x.numel() / in;
  auto sizes = x.sizes().vec();
  sizes.back() = out;
  torch::Tensor y = torch::empty(sizes, x.options().requires_grad(false));
  const torch::Tensor given = x.contiguous();
  const float *from = given.const_data_ptr<float>(), *weights = weight.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  const std::int64_t parts = std::clamp<std::int64_t>(out * in / kLeastPart, 1, at::get_num_threads());
  for_parts(parts, [&](std::int64_t part) {
    for (std::int64_t o = out * part / parts; o < out * (part + 1) / parts; ++o) {
      const float* w = weights + o * in;
      for (std::int64_t row = 0; row < rows; row += kRowsAtOnce) {
        const float* x_part = from + row * in;
        float* result = to + row * out + o;
        switch (std::min(rows - row, kRowsAtOnce)) {
          case 1:
            dots<1>(x_part, w, in, result, out);
            break;
          case 2:
            dots<2>(x_part, w, in, result, out);
            break;
          case 3:
            dots<3>(x_part, w, in, result, out);
            break;
          default:
            dots<4>(x_part, w, in, result, out);
        }
      }
    }
  });
  return y;
}

#else

bool has_few_rows_product() { return false; }

torch::Tensor few_rows_product(const torch::Tensor& x, const torch::Tensor& weight) {
  return torch::linear(x, weight);
}

#endif

}  // namespace tune::trainer::nn
