#pragma once
// How well a straight line through features tells classes apart: multinomial logistic regression, judged by
// cross-validation.
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "trainer/torch_compat.h"

namespace tune::trainer::image_classification {

// Logits are features * weights + bias.
struct LinearProbe {
  torch::Tensor weights, bias;  // double [features, classes], [classes]
};

// Minimises the sum of the cross entropies times `strength` plus half the squared norm of the weights: what
// scikit-learn's LogisticRegression(C = strength) minimises with three classes and more. With two, where it
// has one column of weights for our two, its C is twice ours. Biases are not held back. `features` are double
// [images, features] on the CPU. L-BFGS (Nocedal, Mathematics of Computation 35, 1980) until no entry of the
// gradient of the mean is above `tolerance`, or for `most_steps`. It begins at `start`, from another
// strength, or at 0.
LinearProbe fit_probe(const torch::Tensor& features, std::span<const int> labels, int classes,
                      double strength, double tolerance, int most_steps, const LinearProbe& start = {});

// A share of so many images, and how far it would vary with others of the same kind.
struct Estimate {
  double value = 0, standard_error = 0;
  std::size_t images = 0;
};

// Trains on all folds but one and measures on that one, in turn. Features are standardised by those trained
// on; the strength is chosen among six powers of ten by the cross entropy on the next fold, which is left out
// for that and taken in again. Images of a group count together in the standard error (a cluster's), which is
// never below the one of a proportion with one more right and one more wrong answer (Agresti and Coull,
// 1998). At least three folds; once `is_over` says so, which may be empty, no further one is begun, and those
// that were measured count alone.
Estimate cross_validated_accuracy(const torch::Tensor& features, std::span<const int> labels, int classes,
                                  std::span<const int> folds, std::span<const std::size_t> groups,
                                  const std::function<bool()>& is_over = {});

}  // namespace tune::trainer::image_classification
