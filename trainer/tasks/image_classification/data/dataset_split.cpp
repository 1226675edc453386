#include "trainer/tasks/image_classification/data/dataset_split.h"

#include <algorithm>

namespace tune::trainer::image_classification {

std::vector<data::ImageClasses> classes_of_images(const Dataset& dataset) {
  std::vector<std::size_t> shown(dataset.classes.size());
  for (const Example& example : dataset.examples)
    for (const int label : example.labels) ++shown[static_cast<std::size_t>(label)];
  std::vector<data::ImageClasses> images;
  images.reserve(dataset.examples.size());
  for (const Example& example : dataset.examples) {
    data::ImageClasses& image = images.emplace_back();
    for (const int label : example.labels) image.shown.push_back(label + 1);
    const auto rarest = std::min_element(example.labels.begin(), example.labels.end(), [&](int a, int b) {
      return shown[static_cast<std::size_t>(a)] < shown[static_cast<std::size_t>(b)];
    });
    image.main = rarest == example.labels.end() ? 0 : *rarest + 1;
  }
  return images;
}

Dataset subset(const Dataset& dataset, std::span<const std::size_t> indices) {
  Dataset part{dataset.classes, {}, dataset.multi_label, dataset.labelled, {}, dataset.form};
  part.examples.reserve(indices.size());
  for (const std::size_t index : indices) part.examples.push_back(dataset.examples.at(index));
  return part;
}

}  // namespace tune::trainer::image_classification
