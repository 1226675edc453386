#pragma once
// How images are varied, as hyperparameters of a recipe.
#include <vector>

#include "trainer/loop/hyperparameters.h"
#include "trainer/tasks/image_classification/data/augmentation.h"

namespace tune::trainer::image_classification {

// A row for each member of Augmentation, with its default.
std::vector<loop::Hyperparameter> augmentation_hyperparameters();
// What a trial's values say. The table that they were read by has these rows.
Augmentation augmentation_of(const loop::Hyperparameters& values);

}  // namespace tune::trainer::image_classification
