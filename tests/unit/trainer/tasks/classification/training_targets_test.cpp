// Targets, class weights, balanced epochs, and the loss that they enter.
#include "trainer/tasks/classification/training_targets.h"

#include <set>

#include "torch_catch.h"

using namespace tune::trainer;
using namespace tune::trainer::classification;
using metrics::LabelSet;

namespace {

LabelSet labelled(const std::vector<metrics::Labels>& labels, std::size_t classes, bool multi_label = false) {
  LabelSet set{{}, labels, multi_label};
  for (std::size_t c = 0; c < classes; ++c) set.classes.push_back(std::to_string(c));
  return set;
}

weights::TensorMap batch_of(const TrainingTargets& targets, const std::vector<std::int64_t>& examples) {
  weights::TensorMap tensors;
  targets.add(examples, tensors);
  return tensors;
}

const torch::Tensor kLogits = torch::tensor({{1.0f, -0.5f, 0.25f}, {0.0f, 2.0f, -1.0f}, {0.5f, 0.5f, 3.0f}});

}  // namespace

TEST_CASE("The loss of one class an example is LibTorch's cross entropy, smoothed or not") {
  const LabelSet set = labelled({{0}, {2}, {1}}, 3);
  const torch::Tensor labels = torch::tensor({0, 2, 1}, torch::kLong);
  for (const double smoothing : {0.0, 0.1}) {
    const auto batch = batch_of(TrainingTargets(set, smoothing, false), {0, 1, 2});
    const torch::Tensor found = classification_loss(kLogits, batch.at(kTargets), batch.at(kCounts), false);
    const torch::Tensor expected =
        torch::cross_entropy_loss(kLogits, labels, {}, at::Reduction::Mean, -100, smoothing);
    CHECK(found.item<double>() == Approx(expected.item<double>()).epsilon(1e-6));
  }
}

TEST_CASE(
    "Balanced weights are inverse to the classes' sizes, count 1 on average, and enter as LibTorch's do") {
  const LabelSet set = labelled({{0}, {0}, {0}, {1}}, 2);
  const TrainingTargets targets(set, 0, true);
  const auto batch = batch_of(targets, {0, 1, 2, 3});
  CHECK(torch::allclose(batch.at(kCounts), torch::tensor({4.0 / 6, 4.0 / 6, 4.0 / 6, 2.0}, torch::kFloat)));
  CHECK(targets.weight({0, 1, 2, 3}) == Approx(4));
  CHECK(targets.weight({3}) == Approx(2));
  const torch::Tensor logits = kLogits.slice(1, 0, 2);
  const auto three = batch_of(targets, {0, 3, 1});
  const torch::Tensor expected = torch::cross_entropy_loss(logits, torch::tensor({0, 1, 0}, torch::kLong),
                                                           torch::tensor({4.0 / 6, 2.0}, torch::kFloat));
  CHECK(classification_loss(logits, three.at(kTargets), three.at(kCounts), false).item<double>() ==
        Approx(expected.item<double>()).epsilon(1e-6));
}

TEST_CASE("Where an example may have several classes each is judged by itself, rare ones for more") {
  const LabelSet set = labelled({{0, 2}, {}, {0}, {0}}, 3, /*multi_label=*/true);
  const auto plain = batch_of(TrainingTargets(set, 0.2, false), {0, 1, 2});
  CHECK(torch::allclose(plain.at(kTargets),
                        torch::tensor({{0.9f, 0.1f, 0.9f}, {0.1f, 0.1f, 0.1f}, {0.9f, 0.1f, 0.1f}})));
  const TrainingTargets balanced(set, 0, true);
  // One of four shows class 2; three of four class 0; none class 1, which counts as if one did.
  CHECK(torch::allclose(balanced.positive_weights(), torch::tensor({1.0f / 3, 3.0f, 3.0f})));
  const auto batch = batch_of(balanced, {0, 1, 2});
  const torch::Tensor found =
      classification_loss(kLogits, batch.at(kTargets), batch.at(kCounts), true, balanced.positive_weights());
  const torch::Tensor expected = torch::binary_cross_entropy_with_logits(
      kLogits, batch.at(kTargets), {}, balanced.positive_weights(), at::Reduction::Mean);
  CHECK(found.item<double>() == Approx(expected.item<double>()).epsilon(1e-6));
}

TEST_CASE("A balanced epoch shows every class equally often, and the same epoch shows it again") {
  std::vector<std::vector<int>> labels(9, {0});
  labels.insert(labels.end(), {{1}, {2}, {2}});
  const LabelSet set = labelled(labels, 4);  // of class 3 there is none
  const std::vector<std::int64_t> order = balanced_order(set, 7, 1);
  CHECK(order.size() == 12);
  std::map<int, int> seen;
  std::set<std::int64_t> of_frequent;
  for (const std::int64_t example : order) {
    const int label = labels[static_cast<std::size_t>(example)].front();
    ++seen[label];
    if (label == 0) CHECK(of_frequent.insert(example).second);  // none twice while others were not shown
  }
  CHECK(seen == std::map<int, int>{{0, 4}, {1, 4}, {2, 4}});
  CHECK(balanced_order(set, 7, 1) == order);
  CHECK(balanced_order(set, 7, 2) != order);
  CHECK(balanced_order(set, 8, 1) != order);
}
