#pragma once
// A detection data set in memory as three: its images' classes for a cut, and data sets out of the indices
// that the cut gives.
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/data/split.h"
#include "trainer/tasks/detection/data/dataset.h"

namespace tune::trainer::detection {

struct Split {
  Dataset train, validation, test;  // with the whole set's classes; examples ordered by image_id
};

// As data::split(): an image's main class is the one with most objects; on a tie, most area.
Split split(const Dataset& dataset, const data::SplitFractions& fractions);
Split split_by_groups(const Dataset& dataset, const data::SplitFractions& fractions,
                      const data::Groups& groups);

// What the images count as when they are cut, in the order of the examples.
std::vector<data::ImageClasses> classes_of_images(const Dataset& dataset);

Split parts_of(const Dataset& dataset, const data::SplitIndices& indices);
// The examples at `indices`, in that order, with everything else of the set but its warnings.
Dataset subset(const Dataset& dataset, std::span<const std::size_t> indices);

// The main class of an image as above; 0 for one without objects.
int main_category(const Example& example);

// What tells the examples of one set apart.
inline std::int64_t key_of(const Example& example) { return example.image_id; }

}  // namespace tune::trainer::detection
