#include "trainer/metrics/classification_quality.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "trainer/metrics/calibration.h"
#include "trainer/metrics/ranking.h"
#include "tuner/core/error.h"

namespace tune::trainer::metrics {
namespace {

std::vector<int> only_labels(std::span<const Labels> sets) {
  std::vector<int> labels;
  labels.reserve(sets.size());
  for (const Labels& set : sets) {
    TUNE_CHECK(set.size() == 1);
    labels.push_back(set.front());
  }
  return labels;
}

// [examples], 1 where the example has the class.
std::vector<std::uint8_t> flags_of(std::span<const Labels> truth, int c) {
  std::vector<std::uint8_t> flags;
  flags.reserve(truth.size());
  for (const Labels& labels : truth) flags.push_back(std::binary_search(labels.begin(), labels.end(), c));
  return flags;
}

std::int64_t common(const Labels& a, const Labels& b) {
  Labels both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return static_cast<std::int64_t>(both.size());
}

void fill_single(std::span<const Labels> truth_sets, std::span<const Labels> predicted_sets,
                 std::size_t classes, const ClassScores* probabilities, ClassificationQuality& quality) {
  const std::vector<int> truth = only_labels(truth_sets);
  quality.confusion = class_confusion(truth, only_labels(predicted_sets), classes);
  quality.classes = tallies_of(quality.confusion);
  quality.accuracy = accuracy(quality.confusion);
  quality.balanced_accuracy = balanced_accuracy(quality.confusion);
  quality.matthews = matthews(quality.confusion);
  if (probabilities == nullptr) return;
  if (classes > kTop) quality.top5 = top_k_accuracy(truth, *probabilities, kTop);
  if (classes == 2) quality.auc = roc_auc(flags_of(truth_sets, 1), probabilities->column(1));
  quality.log_loss = log_loss(truth, *probabilities);
  quality.calibration_error = expected_calibration_error(truth, *probabilities);
}

std::vector<ClassTally> tallies_of_sets(std::span<const Labels> truth, std::span<const Labels> predicted,
                                        std::size_t classes) {
  std::vector<ClassTally> tallies(classes);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    for (const int label : truth[i]) ++tallies.at(static_cast<std::size_t>(label)).support;
    for (const int label : predicted[i]) {
      ClassTally& tally = tallies.at(static_cast<std::size_t>(label));
      ++tally.predicted;
      tally.right += std::binary_search(truth[i].begin(), truth[i].end(), label);
    }
  }
  return tallies;
}

// Cross-entropy of each decision whether an example has a class.
double binary_log_loss(std::span<const std::uint8_t> is_true, const std::vector<double>& probabilities) {
  constexpr double kLeast = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (std::size_t i = 0; i < is_true.size(); ++i) {
    const double said = is_true[i] != 0 ? probabilities[i] : 1 - probabilities[i];
    sum -= std::log(std::clamp(said, kLeast, 1 - kLeast));
  }
  return sum;
}

void fill_ranked_sets(std::span<const Labels> truth, const ClassScores& probabilities,
                      ClassificationQuality& quality) {
  double precision = 0, loss = 0;
  for (std::size_t c = 0; c < probabilities.classes(); ++c) {
    const std::vector<std::uint8_t> flags = flags_of(truth, static_cast<int>(c));
    const std::vector<double> column = probabilities.column(c);
    quality.class_average_precision.push_back(average_precision(flags, column));
    precision += quality.class_average_precision.back();
    loss += binary_log_loss(flags, column);
  }
  const auto classes = static_cast<double>(probabilities.classes());
  quality.average_precision = precision / classes;
  quality.log_loss = truth.empty() ? 0 : loss / (classes * static_cast<double>(truth.size()));
}

void fill_sets(std::span<const Labels> truth, std::span<const Labels> predicted, std::size_t classes,
               const ClassScores* probabilities, ClassificationQuality& quality) {
  quality.classes = tallies_of_sets(truth, predicted, classes);
  quality.micro = micro_rates(quality.classes);
  double exact = 0, f1 = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    exact += truth[i] == predicted[i];
    f1 += rates_of({common(truth[i], predicted[i]), static_cast<std::int64_t>(predicted[i].size()),
                    static_cast<std::int64_t>(truth[i].size())})
              .f1;
  }
  const double examples = truth.empty() ? 1 : static_cast<double>(truth.size());
  quality.accuracy = exact / examples;
  quality.sample_f1 = f1 / examples;
  if (probabilities != nullptr) fill_ranked_sets(truth, *probabilities, quality);
}

}  // namespace

ClassificationQuality classification_quality(std::span<const Labels> truth, std::span<const Labels> predicted,
                                             std::size_t classes, bool multi_label,
                                             const ClassScores* probabilities) {
  TUNE_CHECK(truth.size() == predicted.size());
  TUNE_CHECK(probabilities == nullptr ||
             (probabilities->examples() == truth.size() && probabilities->classes() == classes));
  ClassificationQuality quality;
  quality.examples = truth.size();
  if (multi_label)
    fill_sets(truth, predicted, classes, probabilities, quality);
  else
    fill_single(truth, predicted, classes, probabilities, quality);
  quality.macro = macro_rates(quality.classes, /*absent=*/multi_label);
  quality.weighted = weighted_rates(quality.classes);
  return quality;
}

std::vector<Labels> labels_at(const ClassScores& probabilities, bool multi_label) {
  std::vector<Labels> all(probabilities.examples());
  if (!multi_label) {
    const std::vector<int> classes = likeliest(probabilities);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = {classes[i]};
    return all;
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t c = 0; c < probabilities.classes(); ++c)
      if (probabilities.of(i)[c] >= kSaidFrom) all[i].push_back(static_cast<int>(c));
  return all;
}

}  // namespace tune::trainer::metrics
