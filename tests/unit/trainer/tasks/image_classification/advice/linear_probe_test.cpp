#include "trainer/tasks/image_classification/advice/linear_probe.h"

#include <cmath>

#include "support/catch.h"
#include "tuner/core/json.h"
#include "tuner/core/rng.h"
#include "tuner/os/atomic_file.h"
#include "unit/trainer/torch_catch.h"

using namespace tune::trainer::image_classification;
using tune::Json;

namespace {

torch::Tensor matrix(const Json& rows) {
  const auto values = rows.get<std::vector<std::vector<double>>>();
  torch::Tensor tensor = torch::empty(
      {static_cast<std::int64_t>(values.size()), static_cast<std::int64_t>(values.front().size())},
      torch::kDouble);
  for (std::size_t i = 0; i < values.size(); ++i)
    tensor[static_cast<std::int64_t>(i)].copy_(torch::tensor(values[i], torch::kDouble));
  return tensor;
}

double furthest(const torch::Tensor& a, const torch::Tensor& b) { return (a - b).abs().max().item<double>(); }

// Two classes that lie `distance` standard deviations apart in one of eight features, the others noise.
struct Cloud {
  torch::Tensor features;
  std::vector<int> labels, folds;
  std::vector<std::size_t> groups;

  Cloud(int images, double distance) : features(torch::empty({images, 8}, torch::kDouble)) {
    tune::Rng rng(11);
    for (int i = 0; i < images; ++i) {
      labels.push_back(i % 2);
      folds.push_back(i / 2 % 5);
      groups.push_back(static_cast<std::size_t>(i));
      for (int f = 0; f < 8; ++f)
        features[i][f] = rng.normal() + (f == 0 ? distance * (labels.back() - 0.5) : 0);
    }
  }
  Estimate accuracy() const { return cross_validated_accuracy(features, labels, 2, folds, groups); }
};

}  // namespace

TEST_CASE("a linear probe is scikit-learn's logistic regression to the sixth digit") {
  const Json cases = Json::parse(
      tune::read_file(std::string(TUNE_SOURCE_DIR) + "/tests/golden/image_classification/probe_cases.json"));
  REQUIRE(cases.size() == 6);
  for (const Json& each : cases) {
    INFO(each["name"]);
    const torch::Tensor features = matrix(each["features"]);
    const std::vector<int> labels = each["labels"];
    const LinearProbe probe = fit_probe(features, labels, each["classes"], each["strength"],
                                        /*tolerance=*/1e-11, /*most_steps=*/5000);
    CHECK(furthest(torch::softmax(features.mm(probe.weights) + probe.bias, 1),
                   matrix(each["probabilities"])) < 1e-6);
    if (each["weights"].is_null()) continue;
    CHECK(furthest(probe.weights.t(), matrix(each["weights"])) < 1e-6);
    const std::vector<double> bias = each["bias"];
    CHECK(furthest(probe.bias, torch::tensor(bias, torch::kDouble)) < 1e-6);
  }
}

TEST_CASE("a cross-validated probe is as right as the best line, and chance on noise") {
  // Phi(distance / 2) of a normal distribution is what the best line reaches.
  const Estimate apart = Cloud(400, 2).accuracy();
  CHECK(apart.value == Approx(0.8413).margin(3 * apart.standard_error));
  CHECK(apart.standard_error == Approx(std::sqrt(0.8413 * 0.1587 / 400)).epsilon(0.2));
  const Estimate noise = Cloud(400, 0).accuracy();
  CHECK(noise.value == Approx(0.5).margin(3 * noise.standard_error));
}

TEST_CASE("a cross-validation whose time is over counts the folds that it has measured") {
  const Cloud cloud(100, 2);
  int asked = 0;
  const Estimate estimate = cross_validated_accuracy(cloud.features, cloud.labels, 2, cloud.folds,
                                                     cloud.groups, [&] { return ++asked == 2; });
  CHECK(estimate.images == 40);
  CHECK(cloud.accuracy().images == 100);
  CHECK(estimate.value == Approx(0.8413).margin(3 * estimate.standard_error));
}

TEST_CASE("a fit that begins at another strength's ends where one from nothing does") {
  const Cloud cloud(60, 2);
  const LinearProbe weak = fit_probe(cloud.features, cloud.labels, 2, 1e-3, 1e-10, 1000);
  const LinearProbe from_weak = fit_probe(cloud.features, cloud.labels, 2, 0.1, 1e-10, 1000, weak),
                    from_nothing = fit_probe(cloud.features, cloud.labels, 2, 0.1, 1e-10, 1000);
  CHECK(furthest(from_weak.weights, from_nothing.weights) < 1e-6);
  CHECK(furthest(weak.weights, from_nothing.weights) > 1e-3);
}

TEST_CASE("an answer that is always right has a standard error all the same") {
  const Estimate estimate = Cloud(60, 40).accuracy();
  CHECK(estimate.value == 1);
  CHECK(estimate.standard_error == Approx(std::sqrt(61.0 / 62 / 62 / 60)));
}

TEST_CASE("images of a group count as one in the standard error") {
  Cloud cloud(200, 2);
  const Estimate apart = cloud.accuracy();
  // Each image five times: no new knowledge, if told that they belong together.
  Cloud copies = cloud;
  copies.features = cloud.features.repeat_interleave(5, 0);
  copies.labels.clear(), copies.folds.clear(), copies.groups.clear();
  for (std::size_t i = 0; i < 1000; ++i) {
    copies.labels.push_back(cloud.labels[i / 5]);
    copies.folds.push_back(cloud.folds[i / 5]);
    copies.groups.push_back(i / 5);
  }
  const Estimate together = copies.accuracy();
  CHECK(together.standard_error == Approx(apart.standard_error).epsilon(0.15));
  for (std::size_t i = 0; i < 1000; ++i) copies.groups[i] = i;
  CHECK(copies.accuracy().standard_error < 0.6 * together.standard_error);
}
