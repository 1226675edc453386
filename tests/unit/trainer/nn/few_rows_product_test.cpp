#include "trainer/nn/few_rows_product.h"

#include "torch_catch.h"
#include "trainer/nn/frozen_product.h"

namespace tune::trainer::nn {
namespace {

TEST_CASE("a few rows times a weight are what LibTorch says, whatever the sizes") {
  torch::manual_seed(1);
  const torch::NoGradGuard guard;
  for (const std::int64_t in : {1, 7, 16, 33, 576})
    for (const std::int64_t out : {1, 5, 192})
      for (const std::int64_t rows : {1, 2, 3, 4, 5, 11, 16}) {
        CAPTURE(in, out, rows);
        const torch::Tensor weight = torch::randn({out, in}),
                            x = torch::randn({in, rows}).t();  // not contiguous
        const torch::Tensor y = few_rows_product(x, weight);
        REQUIRE(y.sizes() == torch::IntArrayRef({rows, out}));
        CHECK(torch::allclose(
            y, torch::linear(x.to(torch::kDouble), weight.to(torch::kDouble)).to(torch::kFloat), 1e-5, 1e-4));
      }
}

TEST_CASE("what is said of a row depends neither on the rows beside it nor on the number of threads") {
  if (!has_few_rows_product()) return;
  const torch::NoGradGuard guard;
  const torch::Tensor weight = torch::randn({1000, 100}), x = torch::randn({2, 5, 100});
  const torch::Tensor all = frozen_product(x, weight);
  REQUIRE(all.sizes() == torch::IntArrayRef({2, 5, 1000}));
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  for (int i = 0; i < 10; ++i) {
    const torch::Tensor alone = frozen_product(x[i / 5][i % 5], weight);
    CHECK(torch::equal(alone, all[i / 5][i % 5]));
  }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace tune::trainer::nn
