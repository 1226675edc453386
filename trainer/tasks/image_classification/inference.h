#pragma once
// What a finished classifier says of images.
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/tasks/image_classification/data/image_batches.h"
#include "trainer/tasks/image_classification/model_folder.h"

namespace tune::trainer::image_classification {

// Probabilities [images][classes], of a softmax or, where an image may show several classes, of sigmoids. The
// network is on `compute.device`, in eval mode. nullopt once `interrupted` says so.
std::optional<std::vector<double>> probabilities_of(const LoadedClassifier& classifier,
                                                    const ImageBatches& images, const loop::Compute& compute,
                                                    std::int64_t batch,
                                                    const std::function<bool()>& interrupted);

}  // namespace tune::trainer::image_classification
