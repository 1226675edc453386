#pragma once
// Labelled texts in memory, whatever they were read from.
#include <string>
#include <vector>

#include "trainer/metrics/label_set.h"

namespace tune::trainer::text_classification {

struct Example {
  std::string text, second;  // the second where Dataset::pairs
  std::vector<int> labels;   // indices into Dataset::classes, ascending; exactly one where !multi_label
  std::string name;          // the line that it begins in, "12"
};

struct Dataset {
  std::vector<std::string> classes;
  std::vector<Example> examples;      // in the order of the file
  bool multi_label = false;           // a text may be of several classes, or of none
  bool pairs = false;                 // each example is two texts
  std::vector<std::string> warnings;  // one sentence each, naming the file
  std::string form;                   // what it was recognised as, in one line
};

// The labels of the examples, in their order.
metrics::LabelSet labels_of(const Dataset& dataset);
// The examples at `indices`, in that order, with everything else of the set but its warnings.
Dataset subset(const Dataset& dataset, const std::vector<std::size_t>& indices);
// What is told apart when sets are compared: SHA-256 of its texts.
std::string content_of(const Example& example);
// "sha256:..." of classes, texts and labels.
std::string fingerprint(const Dataset& dataset);

}  // namespace tune::trainer::text_classification
