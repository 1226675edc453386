#pragma once
// Labelled images in memory, whatever format they were read from.
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/metrics/label_set.h"

namespace tune::trainer::image_classification {

struct Example {
  std::filesystem::path image;
  std::string name;  // as the data set calls it: the path below its folder, or the list's own
  std::vector<int>
      labels;        // indices into Dataset::classes, ascending, each once; exactly one where !multi_label
  std::string part;  // "train", "validation" or "test" in a set with parts of its own, else ""
};

struct Dataset {
  std::vector<std::string> classes;
  std::vector<Example> examples;      // ordered by name, byte by byte
  bool multi_label = false;           // an image may show several classes, or none
  bool labelled = true;               // false: a folder of images alone (for `predict`)
  std::vector<std::string> warnings;  // one sentence each, naming the file
  std::string form;                   // what it was recognised as, in one line
};

// The images of the examples, in their order.
std::vector<std::filesystem::path> files_of(const Dataset& dataset);
// The labels of the examples, in their order.
metrics::LabelSet labels_of(const Dataset& dataset);
// "pit", "pit, scratch", or "no class": the classes of an example by name.
std::string label_text(const Dataset& dataset, const Example& example);

}  // namespace tune::trainer::image_classification
