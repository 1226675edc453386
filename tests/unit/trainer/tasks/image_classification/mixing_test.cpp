// Mixup and CutMix.
#include "trainer/tasks/image_classification/mixing.h"

#include <cmath>

#include "torch_catch.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using tune::Rng;

namespace {

weights::TensorMap batch() {
  torch::Tensor pixels = torch::empty({3, 8, 8, 3}, torch::kByte);
  for (int i = 0; i < 3; ++i) pixels[i].fill_(100 * i);
  return {{kPixels, pixels},
          {classification::kTargets, torch::eye(3)},
          {classification::kCounts, torch::tensor({1.0f, 2.0f, 3.0f})}};
}

}  // namespace

TEST_CASE("Shares are drawn of Beta(alpha, alpha)") {
  for (const double alpha : {0.2, 1.0, 4.0}) {
    Rng rng(5);
    double sum = 0, squares = 0;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i) {
      const double share = draw_share(alpha, rng);
      REQUIRE((share >= 0 && share <= 1));
      sum += share;
      squares += share * share;
    }
    const double mean = sum / kDraws;
    CHECK(mean == Approx(0.5).margin(0.01));
    CHECK(squares / kDraws - mean * mean == Approx(0.25 / (2 * alpha + 1)).margin(0.005));
  }
}

TEST_CASE("Mixup notes a share, by which images and targets are mixed with their neighbours") {
  weights::TensorMap tensors = batch();
  const torch::Tensor before = tensors.at(kPixels).clone();
  Rng rng(5), same(5);
  mix({0.4, 0}, rng, tensors);
  const double share = draw_share(0.4, same);
  CHECK(tensors.at(kPixels).equal(before));
  CHECK(tensors.at(kShare).item<double>() == Approx(share));
  CHECK(tensors.at(classification::kTargets)[0][0].item<double>() == Approx(share));
  CHECK(tensors.at(classification::kTargets)[0][2].item<double>() == Approx(1 - share));
  CHECK(tensors.at(classification::kCounts).sum().item<double>() == Approx(6));
  const torch::Tensor images = torch::randn({3, 3, 8, 8}), made = mixed(images, tensors);
  CHECK(torch::allclose(made[1], images[1] * share + images[0] * (1 - share), 1e-5, 1e-6));
  CHECK(mixed(images, {}).is_same(images));
}

TEST_CASE("CutMix pastes a rectangle of the neighbour, whose part of the area the targets get") {
  Rng rng(11);
  double smallest = 1, largest = 0;
  for (int i = 0; i < 50; ++i) {
    weights::TensorMap tensors = batch();
    mix({0, 1}, rng, tensors);
    CHECK_FALSE(tensors.contains(kShare));
    const torch::Tensor pixels = tensors.at(kPixels);
    const double pasted = pixels[1].eq(0).to(torch::kDouble).mean().item<double>();  // its neighbour's are 0
    CHECK(pixels[1].eq(0).logical_or(pixels[1].eq(100)).all().item<bool>());
    CHECK(tensors.at(classification::kTargets)[1][1].item<double>() == Approx(1 - pasted));
    CHECK(tensors.at(classification::kTargets)[1][0].item<double>() == Approx(pasted).margin(1e-6));
    smallest = std::min(smallest, pasted);
    largest = std::max(largest, pasted);
  }
  CHECK(smallest < 0.2);
  CHECK(largest > 0.5);
}

TEST_CASE("With both, each batch is mixed in one of the two ways") {
  Rng rng(3);
  int cut = 0;
  for (int i = 0; i < 100; ++i) {
    weights::TensorMap tensors = batch();
    const torch::Tensor before = tensors.at(kPixels).clone();
    mix({1, 1}, rng, tensors);
    REQUIRE(tensors.contains(kShare));  // so that all batches have the same tensors
    const bool is_cut = tensors.at(kShare).item<double>() == 1;
    if (is_cut) ++cut;
    if (!is_cut) CHECK(tensors.at(kPixels).equal(before));
  }
  CHECK((cut > 30 && cut < 70));
}
