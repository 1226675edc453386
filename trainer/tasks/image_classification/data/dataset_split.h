#pragma once
// Labelled images in memory as several sets: their classes for a cut, and sets out of the indices that the
// cut gives.
#include <span>
#include <string>
#include <vector>

#include "trainer/data/split.h"
#include "trainer/tasks/image_classification/data/dataset.h"

namespace tune::trainer::image_classification {

// What the images count as when they are cut, in the order of the examples: their class, or of several the
// one that the fewest images of the set show.
std::vector<data::ImageClasses> classes_of_images(const Dataset& dataset);
// The examples at `indices`, in that order, with everything else of the set but its warnings.
Dataset subset(const Dataset& dataset, std::span<const std::size_t> indices);
// What tells the examples of one set apart.
inline std::string key_of(const Example& example) { return example.name; }

}  // namespace tune::trainer::image_classification
