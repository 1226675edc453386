#pragma once
// The hyperparameters that other trainers of text classifiers have, under their names and with their
// defaults.
#include <vector>

#include "trainer/tasks/text_classification/recipes.h"

namespace tune::trainer::text_classification {

// Each with the rows that it shares with fine-tune.
std::vector<loop::Hyperparameter> hugging_face_hyperparameters(
    const std::vector<loop::Hyperparameter>& shared);
std::vector<loop::Hyperparameter> tensorflow_hyperparameters(const std::vector<loop::Hyperparameter>& shared);

Asked asked_of_hugging_face(const loop::Hyperparameters& values);
Asked asked_of_tensorflow(const loop::Hyperparameters& values);

}  // namespace tune::trainer::text_classification
