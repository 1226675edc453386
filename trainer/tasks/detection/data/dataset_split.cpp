#include "trainer/tasks/detection/data/dataset_split.h"

#include <map>
#include <set>
#include <utility>

namespace tune::trainer::detection {

std::vector<std::filesystem::path> files_of(const Dataset& dataset) {
  std::vector<std::filesystem::path> files;
  for (const Example& example : dataset.examples) files.push_back(example.image);
  return files;
}

int main_category(const Example& example) {
  std::map<int, std::pair<int, double>> weight;  // category -> (objects, area)
  for (const GroundTruth& object : example.objects) {
    auto& [objects, area] = weight[object.category];
    ++objects;
    area += object.area;
  }
  int best = 0;
  for (const auto& [category, size] : weight)
    if (best == 0 || size > weight[best]) best = category;
  return best;
}

Dataset subset(const Dataset& dataset, std::span<const std::size_t> indices) {
  Dataset part{dataset.classes, dataset.category_ids, {}, dataset.labelled, {}, dataset.form, {}};
  part.examples.reserve(indices.size());
  for (const std::size_t index : indices) part.examples.push_back(dataset.examples.at(index));
  return part;
}

std::vector<data::ImageClasses> classes_of_images(const Dataset& dataset) {
  std::vector<data::ImageClasses> images;
  for (const Example& example : dataset.examples) {
    std::set<int> shown;
    for (const GroundTruth& object : example.objects)
      if (!object.crowd) shown.insert(object.category);
    images.push_back({main_category(example), {shown.begin(), shown.end()}});
  }
  return images;
}

Split parts_of(const Dataset& dataset, const data::SplitIndices& indices) {
  return {subset(dataset, indices.train), subset(dataset, indices.validation), subset(dataset, indices.test)};
}

Split split(const Dataset& dataset, const data::SplitFractions& fractions) {
  return parts_of(
      dataset, data::split(classes_of_images(dataset), static_cast<int>(dataset.classes.size()), fractions));
}

Split split_by_groups(const Dataset& dataset, const data::SplitFractions& fractions,
                      const data::Groups& groups) {
  return parts_of(dataset,
                  data::split_by_groups(classes_of_images(dataset), static_cast<int>(dataset.classes.size()),
                                        fractions, groups));
}

}  // namespace tune::trainer::detection
