#pragma once
// Names that backbones' weights go by in files of other projects.
#include "trainer/tasks/detection/models.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::detection {

// For a model on VGG-16: a plain VGG-16 ("features.0.weight", or "0.weight" in the first files for SSD) under
// the names that SSD gives its layers, from conv1 to conv5, and fc6 and fc7 (31, 33) where they are
// convolutions. Everything else keeps its name.
weights::TensorMap with_model_names(weights::TensorMap tensors, const DetectorModel& model);

// The other way round: a backbone's tensors, without the model's "backbone." before their names, as
// torchvision's ResNet and VGG-16 name them. What those do not have is left out.
weights::TensorMap with_torchvision_names(const weights::TensorMap& backbone, const DetectorModel& model);

}  // namespace tune::trainer::detection
