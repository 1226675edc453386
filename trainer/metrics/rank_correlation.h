#pragma once
// How alike two orders of the same examples are.
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trainer/metrics/label_set.h"

namespace tune::trainer::metrics {

// Spearman's correlation, from -1 to 1: Pearson's of the ranks, of which equal values share the mean. 0 where
// all values of a side are equal, as then neither order says anything. As many values on both sides.
double spearman(std::span<const double> a, std::span<const double> b);

// The numbers that classes are named by, such as those of ratings; empty where one is none.
std::vector<double> class_values(const std::vector<std::string>& classes);

// Spearman's correlation of the classes that are true with those that are said, by their numbers; nullopt
// where they are none, or an example may be of several.
std::optional<double> rank_correlation(const LabelSet& truth, std::span<const Labels> said);

}  // namespace tune::trainer::metrics
