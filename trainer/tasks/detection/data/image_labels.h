#pragma once
// Objects that take the class of their image, as a published study trained.
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "trainer/tasks/detection/data/dataset.h"

namespace tune::trainer::detection {

// The class (1-based) that the nearest of the folders of the image is named after, up to `outermost` (empty:
// all of them), else the one with the longest name that the image's name begins with
// ("rolled-in_scale_7.jpg"), in any case. nullopt: none.
std::optional<int> class_of_image(const Dataset& dataset, const Example& example,
                                  const std::filesystem::path& outermost = {});

// What label_by_image() changed.
struct Relabelled {
  std::size_t images = 0, objects = 0;  // of these, some object had another class; and so many of them
};

// Gives every object the class of its image. Folders above the one that all images lie in say nothing of
// them. Throws Error(kBadData) naming images that say none.
Relabelled label_by_image(Dataset& dataset);

// "171 of 3351 objects, in 98 of 1152 images, are of another class than their image says".
std::string to_text(const Relabelled& changed, const Dataset& dataset);

}  // namespace tune::trainer::detection
