#pragma once
// Precision, recall and F1 of classes, by what was right of what was said and of what is true (van
// Rijsbergen, "Information Retrieval", 2nd edition 1979, chapter 7). The same numbers as scikit-learn's
// precision_recall_fscore_support().
#include <cstdint>
#include <span>
#include <vector>

namespace tune::trainer::metrics {

// Examples of one class.
struct ClassTally {
  std::int64_t right = 0;      // said, and true
  std::int64_t predicted = 0;  // said
  std::int64_t support = 0;    // true
};

// Fractions in [0, 1]. What divides by nothing is 0 (scikit-learn's zero_division=0): the precision of a
// class that is never said, the recall of one without examples.
struct Rates {
  double precision = 0, recall = 0, f1 = 0;
};

Rates rates_of(const ClassTally& tally);

// The mean over classes. With `absent` false, classes that are neither true nor said anywhere stay out, as in
// scikit-learn for one class an example; it counts all columns of multi-label sets.
Rates macro_rates(std::span<const ClassTally> classes, bool absent);
// The mean over classes, weighted by support; all 0 without any.
Rates weighted_rates(std::span<const ClassTally> classes);
// Of all decisions together.
Rates micro_rates(std::span<const ClassTally> classes);

}  // namespace tune::trainer::metrics
