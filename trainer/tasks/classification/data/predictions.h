#pragma once
// What a classifier says of examples, as a file: docs/image-classification.md, section "Predictions".
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/metrics/classification_quality.h"

namespace tune::trainer::classification {

// What the examples of a task are in its files of predictions.
struct Items {
  std::string task;                  // "image_classification"
  std::string item;                  // one of them for people: "image"
  std::string key;                   // that names it in JSON: "image"
  std::vector<std::string> columns;  // that name it in a CSV, in lower case
  bool are_numbers = false;          // JSON has numbers for names; else texts
  bool are_paths = false;            // names have slashes, however a CSV writes them

  std::string plural() const { return item + "s"; }
};

struct Predictions {
  std::vector<std::string> classes;
  bool multi_label = false;
  std::vector<std::string> names;       // of the examples, as the data set has them, each once
  std::vector<metrics::Labels> labels;  // of each example, indices into `classes`
  std::vector<double> probabilities;    // [examples][classes]; empty where the file has none
};

// Of a JSON file (schema 1) or of a CSV: a column of names, and one of labels, or one for each class with its
// probability, or both. Where only probabilities are given, the labels are those that metrics::labels_at()
// takes. `multi_label` is what the ground truth says; without one the file does, a CSV by a cell with several
// labels. Throws Error(kBadData) with the place of what is wrong: a file of another kind, an example twice
// or without a label, probabilities that are none.
Predictions read_predictions(const std::filesystem::path& file, const Items& items,
                             std::optional<bool> multi_label = std::nullopt);

// As JSON, a line for each example. Probabilities are written as the shortest texts of their floats.
void write_predictions(const std::filesystem::path& file, const Items& items, const Predictions& predictions);

}  // namespace tune::trainer::classification
