#pragma once
// Labelled examples, whatever they are examples of.
#include <string>
#include <vector>

#include "trainer/metrics/classification_quality.h"

namespace tune::trainer::metrics {

struct LabelSet {
  std::vector<std::string> classes;  // their names
  std::vector<Labels> labels;        // of each example
  bool multi_label = false;          // an example may be of several classes, or of none
};

}  // namespace tune::trainer::metrics
