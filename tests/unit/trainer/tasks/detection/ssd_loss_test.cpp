#include "trainer/tasks/detection/ssd_loss.h"
#include "torch_catch.h"

using namespace tune::trainer::detection;

namespace {

Targets targets_of(const torch::Tensor& categories, const torch::Tensor& offsets) {
  Targets targets;
  targets.categories = categories;
  targets.offsets = offsets;
  targets.most_in_an_image = (categories > 0).sum(-1).max().item<std::int64_t>();
  return targets;
}

// Two images, seven boxes, two classes; the second image has no object.
struct LossExample {
  torch::Tensor logits, offsets;
  Targets targets;
};

LossExample example(std::uint64_t seed) {
  torch::manual_seed(seed);
  torch::Tensor categories = torch::zeros({2, 7}, torch::kLong);
  categories[0][2] = 1;
  categories[0][5] = 2;
  return {torch::randn({2, 7, 3}, torch::kDouble), torch::randn({2, 7, 4}, torch::kDouble) * 2,
          targets_of(categories, torch::randn({2, 7, 4}))};
}

}  // namespace

TEST_CASE("The loss equals a computation by hand") {
  // One image, five boxes: box 0 is an object of class 1; so three of the four background boxes are mined.
  const torch::Tensor logits = torch::tensor({{{0.0, 1.0}, {2.0, 0.0}, {0.0, 0.5}, {1.0, 0.0}, {0.0, 0.0}}});
  const torch::Tensor categories = torch::tensor({{1, 0, 0, 0, 0}}, torch::kLong);
  torch::Tensor predicted = torch::zeros({1, 5, 4}), wanted = torch::zeros({1, 5, 4});
  predicted[0][0] = torch::tensor({0.5, -3.0, 0.0, 1.0});
  predicted[0][3] = 100;  // a background box: its offsets do not count
  const SsdLoss loss = ssd_loss(logits, predicted, targets_of(categories, wanted));

  const auto background_loss = [](double background, double object) {
    return std::log1p(std::exp(object - background));
  };
  // The loss of class 1 for box 0; then boxes 2 (.974), 4 (.693) and 3 (.313); box 1 (.127) is the easiest.
  const double expected = std::log1p(std::exp(0.0 - 1.0)) + background_loss(0, 0.5) + background_loss(0, 0) +
                          background_loss(1, 0);
  CHECK(loss.cross_entropy.item<double>() == Approx(expected).epsilon(1e-6));
  CHECK(loss.smooth_l1.item<double>() == Approx(0.125 + 2.5 + 0 + 0.5).epsilon(1e-6));
}

TEST_CASE("The loss is divided by the positives of the whole batch") {
  const LossExample one = example(3);
  const SsdLoss alone = ssd_loss(one.logits, one.offsets, one.targets);
  const auto twice = [](const torch::Tensor& tensor) { return torch::cat({tensor, tensor}, 0); };
  const Targets both = targets_of(twice(one.targets.categories), twice(one.targets.offsets));
  const SsdLoss together = ssd_loss(twice(one.logits), twice(one.offsets), both);
  CHECK(together.cross_entropy.item<double>() == Approx(alone.cross_entropy.item<double>()).epsilon(1e-6));
  CHECK(together.smooth_l1.item<double>() == Approx(alone.smooth_l1.item<double>()).epsilon(1e-6));
}

TEST_CASE("Divided by what is counted, each loss is the mean of its terms") {
  LossExample data = example(9);
  data.targets.offsets[0][2][1] = data.offsets[0][2][1];  // exactly right, so no term
  const SsdLoss sums = ssd_loss(data.logits, data.offsets, data.targets);
  const SsdLoss means = ssd_loss(data.logits, data.offsets, data.targets, LossDivisor::kCounted);
  // Two positives; the five other boxes of their image are all mined, and eight coordinates less one are off.
  CHECK(means.cross_entropy.item<double>() ==
        Approx(sums.cross_entropy.item<double>() * 2 / 7).epsilon(1e-5));
  CHECK(means.smooth_l1.item<double>() == Approx(sums.smooth_l1.item<double>() * 2 / 7).epsilon(1e-5));
  const Targets nothing = targets_of(torch::zeros({2, 7}, torch::kLong), torch::zeros({2, 7, 4}));
  CHECK(ssd_loss(data.logits, data.offsets, nothing, LossDivisor::kCounted).total().item<double>() == 0);
}

TEST_CASE("An image without objects gives no negatives, and a batch without objects has the loss zero") {
  LossExample data = example(4);
  const double with_second = ssd_loss(data.logits, data.offsets, data.targets).cross_entropy.item<double>();
  data.logits[1] = torch::randn({7, 3}, torch::kDouble) * 10;
  CHECK(ssd_loss(data.logits, data.offsets, data.targets).cross_entropy.item<double>() ==
        Approx(with_second));

  torch::Tensor logits = data.logits.clone().requires_grad_();
  const Targets nothing = targets_of(torch::zeros({2, 7}, torch::kLong), torch::zeros({2, 7, 4}));
  const SsdLoss loss = ssd_loss(logits, data.offsets, nothing);
  loss.total().backward();
  CHECK(loss.total().item<double>() == 0);
  CHECK(logits.grad().abs().sum().item<double>() == 0);
}

TEST_CASE("The gradients of the loss agree with finite differences") {
  LossExample data = example(5);
  torch::Tensor logits = data.logits.clone().to(torch::kFloat).requires_grad_();
  torch::Tensor offsets = data.offsets.clone().to(torch::kFloat).requires_grad_();
  ssd_loss(logits, offsets, data.targets).total().backward();
  // The loss is computed in fp32, so the step is large and the tolerance wide.
  const double step = 1e-2;
  for (const auto& [tensor, gradient] :
       {std::pair{logits.detach(), logits.grad()}, {offsets.detach(), offsets.grad()}}) {
    torch::Tensor flat = tensor.view(-1);
    const torch::Tensor slopes = gradient.reshape(-1);
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const auto at = [&](double change) {
        const torch::Tensor old = flat[i].clone();
        flat[i] += change;
        const double value = ssd_loss(logits.detach(), offsets.detach(), data.targets).total().item<double>();
        flat[i].copy_(old);
        return value;
      };
      CHECK(slopes[i].item<double>() == Approx((at(step) - at(-step)) / (2 * step)).margin(6e-3));
    }
  }
}

TEST_CASE("The loss is the same where nobody knows how many negatives an image has at most") {
  for (const LossDivisor divisor : {LossDivisor::kPositives, LossDivisor::kCounted}) {
    const LossExample data = example(9);
    Targets open = data.targets;
    open.most_in_an_image.reset();
    const SsdLoss known = ssd_loss(data.logits, data.offsets, data.targets, divisor),
                  unknown = ssd_loss(data.logits, data.offsets, open, divisor);
    CHECK(unknown.cross_entropy.item<double>() == Approx(known.cross_entropy.item<double>()).epsilon(1e-6));
    CHECK(unknown.smooth_l1.equal(known.smooth_l1));
  }
}

TEST_CASE("Logits in bf16 are widened before the softmax") {
  const LossExample data = example(6);
  const SsdLoss loss =
      ssd_loss(data.logits.to(torch::kBFloat16), data.offsets.to(torch::kBFloat16), data.targets);
  CHECK(loss.cross_entropy.scalar_type() == torch::kFloat);
  CHECK(loss.smooth_l1.scalar_type() == torch::kFloat);
}

TEST_CASE("A logit that is not a number makes the loss not a number") {
  LossExample data = example(7);
  data.logits[0][2][1] = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(std::isfinite(ssd_loss(data.logits, data.offsets, data.targets).total().item<double>()));
}
