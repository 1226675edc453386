#pragma once
// Images as examples that a frozen network makes features of.
#include <filesystem>
#include <functional>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/nn/image_classifier.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/classification/frozen_features.h"

namespace tune::trainer::image_classification {

// uint8 [B, size, size, 3] of examples of a set by their indices, as an epoch shows them.
using Pixels = std::function<torch::Tensor(const std::vector<std::int64_t>& examples, std::int64_t epoch)>;

// The images of these files, known by their bytes; `pixels` are of them, in their order. Network and
// normaliser must outlive the set, whose network is on the device of `compute`.
classification::FeatureSet picture_set(const std::vector<std::filesystem::path>& files, Pixels pixels,
                                       nn::ImageClassifier& network, const nn::Normaliser& normalise,
                                       const loop::Compute& compute);

}  // namespace tune::trainer::image_classification
