#include "trainer/metrics/class_confusion.h"

#include <cmath>

#include "tuner/core/error.h"

namespace tune::trainer::metrics {
namespace {

std::int64_t examples_of(const std::vector<ClassTally>& tallies) {
  std::int64_t examples = 0;
  for (const ClassTally& tally : tallies) examples += tally.support;
  return examples;
}

}  // namespace

ClassConfusion class_confusion(std::span<const int> truth, std::span<const int> predicted,
                               std::size_t classes) {
  TUNE_CHECK(truth.size() == predicted.size());
  ClassConfusion confusion(classes, std::vector<std::int64_t>(classes));
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = static_cast<std::size_t>(truth[i]), column = static_cast<std::size_t>(predicted[i]);
    TUNE_CHECK(row < classes && column < classes);
    ++confusion[row][column];
  }
  return confusion;
}

std::vector<ClassTally> tallies_of(const ClassConfusion& confusion) {
  std::vector<ClassTally> tallies(confusion.size());
  for (std::size_t row = 0; row < confusion.size(); ++row)
    for (std::size_t column = 0; column < confusion.size(); ++column) {
      tallies[row].support += confusion[row][column];
      tallies[column].predicted += confusion[row][column];
      if (row == column) tallies[row].right = confusion[row][column];
    }
  return tallies;
}

double accuracy(const ClassConfusion& confusion) { return micro_rates(tallies_of(confusion)).recall; }

double balanced_accuracy(const ClassConfusion& confusion) {
  double sum = 0, counted = 0;
  for (const ClassTally& tally : tallies_of(confusion)) {
    if (tally.support == 0) continue;
    sum += rates_of(tally).recall;
    ++counted;
  }
  return counted == 0 ? 0 : sum / counted;
}

double matthews(const ClassConfusion& confusion) {
  const std::vector<ClassTally> tallies = tallies_of(confusion);
  const auto examples = static_cast<double>(examples_of(tallies));
  double right = 0, said_and_true = 0, said = 0, is_true = 0;
  for (const ClassTally& tally : tallies) {
    const auto predicted = static_cast<double>(tally.predicted), support = static_cast<double>(tally.support);
    right += static_cast<double>(tally.right);
    said_and_true += predicted * support;
    said += predicted * predicted;
    is_true += support * support;
  }
  // All of these are whole numbers and below 2^53 up to 90 million examples, so that nothing is lost.
  const double spread = (examples * examples - said) * (examples * examples - is_true);
  return spread == 0 ? 0 : (right * examples - said_and_true) / std::sqrt(spread);
}

}  // namespace tune::trainer::metrics
