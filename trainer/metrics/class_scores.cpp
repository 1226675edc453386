#include "trainer/metrics/class_scores.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::metrics {

ClassScores::ClassScores(std::size_t classes, std::vector<double> values)
    : classes_(classes), values_(std::move(values)) {
  TUNE_CHECK(classes_ > 0 && values_.size() % classes_ == 0);
  const auto found =
      std::find_if_not(values_.begin(), values_.end(), [](double v) { return std::isfinite(v); });
  if (found == values_.end()) return;
  const auto place = static_cast<std::size_t>(found - values_.begin());
  throw Error(ExitCode::kNonFiniteLoss,
              "the score of class " + std::to_string(place % classes_ + 1) + " for example " +
                  std::to_string(place / classes_ + 1) + " is " + shortest(*found),
              "The training has diverged: a lower learning rate or gradient clipping keeps scores finite.");
}

std::vector<double> ClassScores::column(std::size_t c) const {
  std::vector<double> column;
  column.reserve(examples());
  for (std::size_t i = c; i < values_.size(); i += classes_) column.push_back(values_[i]);
  return column;
}

std::vector<int> likeliest(const ClassScores& scores) {
  std::vector<int> classes;
  classes.reserve(scores.examples());
  for (std::size_t i = 0; i < scores.examples(); ++i) {
    const auto row = scores.of(i);
    classes.push_back(static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return classes;
}

double top_k_accuracy(std::span<const int> truth, const ClassScores& scores, std::size_t k) {
  TUNE_CHECK(truth.size() == scores.examples());
  std::size_t hits = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = scores.of(i);
    const auto own = static_cast<std::size_t>(truth[i]);
    TUNE_CHECK(own < row.size());
    std::size_t before = 0;
    for (std::size_t c = 0; c < row.size(); ++c)
      before += row[c] > row[own] || (row[c] == row[own] && c > own);
    hits += before < k;
  }
  return truth.empty() ? 0 : static_cast<double>(hits) / static_cast<double>(truth.size());
}

}  // namespace tune::trainer::metrics
