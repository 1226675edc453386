#pragma once
// All numbers of a classifier on labelled examples, of one class each or of any number of them.
#include <optional>
#include <span>
#include <vector>

#include "trainer/metrics/class_confusion.h"
#include "trainer/metrics/class_scores.h"
#include "trainer/metrics/class_tally.h"

namespace tune::trainer::metrics {

// Classes from 0 of one example, ascending; exactly one where sets are not multi-label.
using Labels = std::vector<int>;

// The least probability with which a class of a multi-label set is said.
inline constexpr double kSaidFrom = 0.5;
// What top_k_accuracy() is asked for; of no meaning with as few classes.
inline constexpr std::size_t kTop = 5;

struct ClassificationQuality {
  std::size_t examples = 0;
  double accuracy = 0;  // the share of the examples whose labels are exactly those predicted
  Rates macro, weighted;
  std::vector<ClassTally> classes;

  // Of one class an example.
  std::optional<double> balanced_accuracy, matthews;
  // Of the numbers that classes are named by, where they are; for those who know the names to fill in.
  std::optional<double> spearman;
  ClassConfusion confusion = {};  // empty for multi-label sets
  // With probabilities as well.
  std::optional<double> top5;      // with more than five classes
  std::optional<double> auc;       // with two classes: of the second; not where one has no example
  std::optional<double> log_loss;  // for multi-label sets the mean of all decisions'
  std::optional<double> calibration_error;

  // Of multi-label sets.
  std::optional<Rates> micro;
  std::optional<double> sample_f1;          // the mean over examples; 0 of one without labels on either side
  std::optional<double> average_precision;  // the mean over classes; needs probabilities, as the next
  std::vector<double> class_average_precision = {};
};

// `truth` and `predicted` have the same number of examples, as have the probabilities where there are any;
// labels are below `classes`.
ClassificationQuality classification_quality(std::span<const Labels> truth, std::span<const Labels> predicted,
                                             std::size_t classes, bool multi_label,
                                             const ClassScores* probabilities);

// What is predicted at those probabilities: the likeliest class, or all from kSaidFrom on.
std::vector<Labels> labels_at(const ClassScores& probabilities, bool multi_label);

}  // namespace tune::trainer::metrics
