#include "trainer/tasks/classification/training_targets.h"

#include <algorithm>
#include <numeric>

#include "tuner/core/error.h"
#include "tuner/core/shuffle.h"

namespace tune::trainer::classification {
namespace {

std::vector<std::int64_t> examples_of_each_class(const metrics::LabelSet& set) {
  std::vector<std::int64_t> counts(set.classes.size(), 0);
  for (const metrics::Labels& labels : set.labels)
    for (const int label : labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

}  // namespace

TrainingTargets::TrainingTargets(const metrics::LabelSet& training, double smoothing, bool balanced)
    : labels_(training.labels),
      classes_(static_cast<std::int64_t>(training.classes.size())),
      multi_label_(training.multi_label),
      smoothing_(smoothing),
      class_weights_(training.classes.size(), 1.0) {
  if (!balanced) return;
  const auto examples = static_cast<double>(labels_.size()), classes = static_cast<double>(classes_);
  const std::vector<std::int64_t> counts = examples_of_each_class(training);
  std::vector<float> positive;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const auto count = static_cast<double>(std::max<std::int64_t>(counts[c], 1));
    // A class that every example has is outweighed by nothing: a weight of 0 would keep it from being
    // learned.
    if (multi_label_)
      positive.push_back(count < examples ? static_cast<float>((examples - count) / count) : 1.0F);
    else
      class_weights_[c] = examples / (classes * count);
  }
  if (multi_label_) positive_weights_ = torch::tensor(at::ArrayRef<float>(positive));
}

void TrainingTargets::add(const std::vector<std::int64_t>& examples, weights::TensorMap& tensors) const {
  const auto count = static_cast<std::int64_t>(examples.size());
  const auto off =
      static_cast<float>(multi_label_ ? smoothing_ / 2 : smoothing_ / static_cast<double>(classes_));
  torch::Tensor targets = torch::full({count, classes_}, off), counts = torch::ones({count});
  const float on = static_cast<float>(1 - smoothing_) + off;
  auto target = targets.accessor<float, 2>();
  auto* counted = counts.data_ptr<float>();
  for (std::int64_t i = 0; i < count; ++i) {
    const metrics::Labels& labels = labels_[static_cast<std::size_t>(examples[static_cast<std::size_t>(i)])];
    for (const int label : labels) target[i][label] = on;
    if (!multi_label_)
      counted[i] = static_cast<float>(class_weights_[static_cast<std::size_t>(labels.front())]);
  }
  tensors[kTargets] = targets;
  tensors[kCounts] = counts;
}

double TrainingTargets::weight(const std::vector<std::int64_t>& examples) const {
  if (multi_label_) return static_cast<double>(examples.size());
  return std::accumulate(examples.begin(), examples.end(), 0.0, [&](double sum, std::int64_t example) {
    const int label = labels_[static_cast<std::size_t>(example)].front();
    return sum + class_weights_[static_cast<std::size_t>(label)];
  });
}

std::vector<std::int64_t> balanced_order(const metrics::LabelSet& training, std::uint64_t seed,
                                         std::int64_t epoch) {
  TUNE_CHECK(!training.multi_label);
  Rng rng(seed, static_cast<std::uint64_t>(epoch));
  std::vector<std::vector<std::int64_t>> of_class(training.classes.size());
  for (std::size_t i = 0; i < training.labels.size(); ++i)
    of_class[static_cast<std::size_t>(training.labels[i].front())].push_back(static_cast<std::int64_t>(i));
  std::erase_if(of_class, [](const auto& members) { return members.empty(); });
  for (auto& members : of_class) shuffle(members, rng);
  shuffle(of_class, rng);  // so that the classes which come once more differ from epoch to epoch
  std::vector<std::int64_t> order;
  for (std::size_t round = 0; order.size() < training.labels.size(); ++round)
    for (const auto& members : of_class)
      if (order.size() < training.labels.size()) order.push_back(members[round % members.size()]);
  shuffle(order, rng);
  return order;
}

torch::Tensor classification_loss(const torch::Tensor& logits, const torch::Tensor& targets,
                                  const torch::Tensor& counts, bool multi_label,
                                  const torch::Tensor& positive_weights) {
  const torch::Tensor answers = logits.to(torch::kFloat);
  const torch::Tensor losses = multi_label
                                   ? torch::binary_cross_entropy_with_logits(
                                         answers, targets, {}, positive_weights, at::Reduction::None)
                                         .mean(1)
                                   : torch::cross_entropy_loss(answers, targets, {}, at::Reduction::None);
  return (losses * counts).sum() / counts.sum();
}

}  // namespace tune::trainer::classification
