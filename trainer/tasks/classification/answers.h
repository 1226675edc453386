#pragma once
// What a network answers to a set of labelled examples.
#include <functional>
#include <optional>
#include <vector>

#include "trainer/metrics/classification_quality.h"
#include "trainer/parallel/team.h"
#include "trainer/served/served_model.h"
#include "trainer/tasks/classification/training_targets.h"

namespace tune::trainer::classification {

// Probabilities [examples][classes], row after row, out of logits [examples, classes] on any device: of a
// softmax, or of sigmoids where an example may be of several classes.
std::vector<double> probabilities_of(const torch::Tensor& logits, bool multi_label);

// The same for each example of a batch of requests, with the labels that they make.
std::vector<served::Answer> served_answers(const torch::Tensor& logits, bool multi_label);

// Owned by an evaluation, on its thread. The set must outlive it.
class Answers {
 public:
  explicit Answers(const metrics::LabelSet& set);
  // Logits [B, classes] of the next examples, on any device.
  void add(const torch::Tensor& logits);
  // The mean over examples: without smoothing or weights of classes, so that those of all trials compare.
  double cross_entropy() const { return cross_entropy_; }
  // All numbers. The answers are of all examples.
  metrics::ClassificationQuality quality() const;

 private:
  const metrics::LabelSet& set_;
  const TrainingTargets targets_;
  std::vector<double> probabilities_;  // [examples, classes]
  std::int64_t examples_ = 0;          // so far
  double cross_entropy_ = 0;
};

// `logits_of` gives those of the examples at these indices, batch by batch in the set's order; `team` divides
// the batches. nullopt once `interrupted` says so. The caller has chosen the precision and turned gradients
// off.
std::optional<Answers> answers_to(
    const metrics::LabelSet& set, std::int64_t batch,
    const std::function<torch::Tensor(const std::vector<std::int64_t>& examples)>& logits_of,
    const std::function<bool()>& interrupted, const parallel::Team& team = *parallel::alone());

}  // namespace tune::trainer::classification
