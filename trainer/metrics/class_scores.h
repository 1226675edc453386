#pragma once
// What classifiers give for each example and class: probabilities, or any scores of which more is likelier.
#include <span>
#include <vector>

namespace tune::trainer::metrics {

// Throws Error(kNonFiniteLoss) for a score that is no finite number, which every function that takes these
// relies on.
class ClassScores {
 public:
  // `values` are [examples][classes], row after row; `classes` at least 1.
  ClassScores(std::size_t classes, std::vector<double> values);

  std::size_t classes() const { return classes_; }
  std::size_t examples() const { return values_.size() / classes_; }
  std::span<const double> of(std::size_t example) const {
    return std::span(values_).subspan(example * classes_, classes_);
  }
  std::vector<double> column(std::size_t c) const;

 private:
  std::size_t classes_;
  std::vector<double> values_;
};

// The class with the largest score of each example; of equal ones the first.
std::vector<int> likeliest(const ClassScores& scores);

// The share of the examples whose class is among the `k` with the largest scores; of equal scores the later
// classes go first, as in scikit-learn's top_k_accuracy_score(). 0 without examples.
double top_k_accuracy(std::span<const int> truth, const ClassScores& scores, std::size_t k);

}  // namespace tune::trainer::metrics
