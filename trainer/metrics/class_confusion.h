#pragma once
// Which class is taken for which where each example has one, and what one number says of it.
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/metrics/class_tally.h"

namespace tune::trainer::metrics {

// [classes][classes]: rows are true classes, columns predicted ones.
using ClassConfusion = std::vector<std::vector<std::int64_t>>;

// `truth` and `predicted` hold a class from 0 for each example.
ClassConfusion class_confusion(std::span<const int> truth, std::span<const int> predicted,
                               std::size_t classes);

std::vector<ClassTally> tallies_of(const ClassConfusion& confusion);

// The share of the examples that are right; 0 without any.
double accuracy(const ClassConfusion& confusion);
// The mean recall of the classes that have examples (Brodersen et al., "The Balanced Accuracy and Its
// Posterior Distribution", ICPR 2010); 0 without any.
double balanced_accuracy(const ClassConfusion& confusion);
// From -1 to 1 (Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient",
// Computational Biology and Chemistry 28, 2004); 0 where only one class is true, or only one is said.
double matthews(const ClassConfusion& confusion);

}  // namespace tune::trainer::metrics
