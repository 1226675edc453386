#include "trainer/tasks/image_classification/data/dataset.h"

namespace tune::trainer::image_classification {

std::vector<std::filesystem::path> files_of(const Dataset& dataset) {
  std::vector<std::filesystem::path> files;
  files.reserve(dataset.examples.size());
  for (const Example& example : dataset.examples) files.push_back(example.image);
  return files;
}

metrics::LabelSet labels_of(const Dataset& dataset) {
  metrics::LabelSet set{dataset.classes, {}, dataset.multi_label};
  set.labels.reserve(dataset.examples.size());
  for (const Example& example : dataset.examples) set.labels.push_back(example.labels);
  return set;
}

std::string label_text(const Dataset& dataset, const Example& example) {
  std::string text;
  for (const int label : example.labels)
    text += (text.empty() ? "" : ", ") + dataset.classes[static_cast<std::size_t>(label)];
  return text.empty() ? "no class" : text;
}

}  // namespace tune::trainer::image_classification
