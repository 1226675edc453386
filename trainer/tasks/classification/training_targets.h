#pragma once
// What a classifier is to answer, as tensors, and how much each example counts.
#include <cstdint>
#include <vector>

#include "trainer/metrics/label_set.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::classification {

// Names of a batch's tensors.
inline constexpr const char *kTargets = "targets", *kCounts = "counts";

// Owned by one training, and read-only once made. Targets are probabilities: of one class an example they sum
// to 1, of several each class has its own.
class TrainingTargets {
 public:
  // `smoothing` takes that part of the probability away and spreads it evenly over the classes (Szegedy et
  // al., CVPR 2016); where an example may have several classes it pulls each target that far towards a half.
  // `balanced`: an example counts inversely to the number of examples of its class, by n / (classes * n of
  // the class), so that they count 1 on average. Where an example may have several, being of a class counts
  // as often as there are examples without it for each one with it (see positive_weights()).
  TrainingTargets(const metrics::LabelSet& training, double smoothing, bool balanced);

  // "targets" float [B, classes] and "counts" float [B].
  void add(const std::vector<std::int64_t>& examples, weights::TensorMap& tensors) const;
  // What the counts of the examples sum to.
  double weight(const std::vector<std::int64_t>& examples) const;
  // [classes], for a loss that judges each class by itself; undefined where all are 1.
  const torch::Tensor& positive_weights() const { return positive_weights_; }
  bool multi_label() const { return multi_label_; }

 private:
  std::vector<metrics::Labels> labels_;  // of each example
  std::int64_t classes_;
  bool multi_label_;
  double smoothing_;
  std::vector<double> class_weights_;
  torch::Tensor positive_weights_;
};

// An order of as many examples as there are in which every class comes equally often, up to one: those of
// rare classes come several times, and of frequent ones each epoch leaves out others. The same for the same
// arguments. For sets of one class an example.
std::vector<std::int64_t> balanced_order(const metrics::LabelSet& training, std::uint64_t seed,
                                         std::int64_t epoch);

// Mean over what counts of the cross entropies: of the softmax, or where `multi_label` the mean over classes
// of each sigmoid's. `logits` [B, classes] of any floating type, `positive_weights` as above.
torch::Tensor classification_loss(const torch::Tensor& logits, const torch::Tensor& targets,
                                  const torch::Tensor& counts, bool multi_label,
                                  const torch::Tensor& positive_weights = {});

}  // namespace tune::trainer::classification
