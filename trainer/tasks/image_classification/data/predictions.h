#pragma once
// What a classifier says of images, as a file: docs/image-classification.md, section "Predictions".
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/metrics/classification_quality.h"

namespace tune::trainer::image_classification {

struct Predictions {
  std::vector<std::string> classes;
  bool multi_label = false;
  std::vector<std::string> images;      // as the data set names them, each once
  std::vector<metrics::Labels> labels;  // of each image, indices into `classes`
  std::vector<double> probabilities;    // [images][classes]; empty where the file has none
};

// Of a JSON file (schema 1) or of a CSV: a column of paths, and one of labels, or one for each class with its
// probability, or both. Where only probabilities are given, the labels are those that metrics::labels_at()
// takes. `multi_label` is what the ground truth says; without one the file does, a CSV by a cell with several
// labels. Throws Error(kBadData) with the place of what is wrong: a file of another kind, an image twice or
// without a label, probabilities that are none.
Predictions read_predictions(const std::filesystem::path& file,
                             std::optional<bool> multi_label = std::nullopt);

// As JSON, a line for each image. Probabilities are written as the shortest texts of their floats.
void write_predictions(const std::filesystem::path& file, const Predictions& predictions);

}  // namespace tune::trainer::image_classification
