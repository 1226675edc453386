// Counted multiply-adds, against hand-made products and the figures that torchvision publishes.
#include "trainer/nn/multiply_adds.h"
#include "torch_catch.h"
#include "trainer/nn/resnet.h"
#include "trainer/tasks/detection/ssd_model.h"

using namespace tune::trainer;
using nn::count_multiply_adds;

TEST_CASE("a convolution costs its weights for each output, and each group has only its own") {
  const torch::Tensor image = torch::zeros({2, 4, 8, 8});
  // 2 images, 6 x 6 places, 5 outputs of 4 channels with 3 x 3 weights.
  CHECK(count_multiply_adds([&] {
          torch::conv2d(image, torch::zeros({5, 4, 3, 3}));
        }) == 2 * 6 * 6 * 5 * 4 * 9);
  CHECK(count_multiply_adds([&] {
          torch::conv2d(image, torch::zeros({8, 2, 3, 3}), {}, 1, 1, 1, /*groups=*/2);
        }) == 2 * 8 * 8 * 8 * 2 * 9);
  // Each of 8 x 8 inputs is spread over 3 channels of 2 x 2.
  CHECK(count_multiply_adds([&] {
          torch::conv_transpose2d(image, torch::zeros({4, 3, 2, 2}), {}, 2);
        }) == 2 * 4 * 8 * 8 * 3 * 4);
}

TEST_CASE("a matrix product costs rows times columns times what they share, once") {
  const torch::Tensor a = torch::zeros({7, 11}), b = torch::zeros({11, 3});
  CHECK(count_multiply_adds([&] { torch::matmul(a, b); }) == 7 * 11 * 3);
  CHECK(count_multiply_adds([&] {
          torch::linear(a, torch::zeros({3, 11}), torch::zeros({3}));
        }) == 7 * 11 * 3);
  CHECK(count_multiply_adds([&] {
          torch::bmm(torch::zeros({2, 7, 11}), torch::zeros({2, 11, 3}));
        }) == 2 * 7 * 11 * 3);
  CHECK(count_multiply_adds([&] { torch::mv(a, torch::zeros({11})); }) == 7 * 11);
  CHECK(count_multiply_adds([&] { torch::relu(a + a); }) == 0);
}

TEST_CASE("attention costs two products for each pair of a query and a key, in one operator or in several") {
  const torch::Tensor queries = torch::randn({3, 2, 5, 8}), others = torch::randn({3, 2, 7, 8});
  constexpr std::int64_t kExpected = 2 * 3 * 2 * 5 * 7 * 8;
  CHECK(count_multiply_adds([&] { at::scaled_dot_product_attention(queries, others, others); }) == kExpected);
  CHECK(count_multiply_adds([&] { at::_scaled_dot_product_attention_math(queries, others, others); }) ==
        kExpected);
  CHECK(count_multiply_adds(
            [&] { at::_scaled_dot_product_flash_attention_for_cpu(queries, others, others); }) == kExpected);
}

TEST_CASE("the counts are those that torchvision's users know") {
  const torch::NoGradGuard no_grad;
  // 1.814 G with its classifier of 512 x 1000 for ResNet-18 at 224 pixels, 4.089 G with 2048 x 1000 for
  // ResNet-50.
  const auto resnet = [](std::array<int, 4> blocks, nn::ResNetBlock kind) {
    nn::ResNet model(blocks, 64, kind);
    model->eval();
    return count_multiply_adds([&] { model(torch::zeros({1, 3, 224, 224})); });
  };
  CHECK(static_cast<double>(resnet({2, 2, 2, 2}, nn::ResNetBlock::kBasic) + 512'000) / 1e9 ==
        Approx(1.814).margin(0.0005));
  CHECK(static_cast<double>(resnet({3, 4, 6, 3}, nn::ResNetBlock::kBottleneck) + 2'048'000) / 1e9 ==
        Approx(4.089).margin(0.0005));
  // 34.86 G and 35.6 M parameters with COCO's 90 classes and the background for ssd300_vgg16.
  detection::SsdModel ssd(detection::detector_model("ssd300-vgg16"), 90);
  ssd->eval();
  CHECK(static_cast<double>(count_multiply_adds([&] {
          ssd(torch::zeros({1, 3, 300, 300}));
        })) /
            1e9 ==
        Approx(34.86).margin(0.005));
}
