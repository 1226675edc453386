#pragma once
// The names by which SageMaker's two image classifiers are told what to do.
#include "trainer/tasks/image_classification/recipes.h"

namespace tune::trainer::image_classification {

// Rows of the recipes mxnet and tensorflow. `shared` are those of fine-tune that go by the same name, for
// what those products do not have: transfer strategies, evaluations by steps.
std::vector<loop::Hyperparameter> mxnet_hyperparameters(const std::vector<loop::Hyperparameter>& shared);
std::vector<loop::Hyperparameter> tensorflow_hyperparameters(const std::vector<loop::Hyperparameter>& shared);

// asked_of() for these recipes. `values` are checked already.
Asked asked_of_mxnet(const loop::Hyperparameters& values);
Asked asked_of_tensorflow(const loop::Hyperparameters& values);

}  // namespace tune::trainer::image_classification
