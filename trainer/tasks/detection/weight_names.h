#pragma once
// Names that weights go by, here and in files of other projects.
#include <string_view>

#include "trainer/tasks/detection/models.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::detection {

// How names of a single-shot detector's tensors begin: those of the network that makes the maps, and those
// that depend on the default boxes.
inline constexpr std::string_view kBackbone = "backbone.", kHeads = "head.";

// How the names of the network begin that a detector is built on, without which they are torchvision's.
std::string_view backbone_prefix(const DetectorModel& model);
// How the names begin that depend on the classes.
std::string_view classification_head(const DetectorModel& model);

// For a model on VGG-16: a plain VGG-16 ("features.0.weight", or "0.weight" in the first files for SSD) under
// the names that SSD gives its layers, from conv1 to conv5, and fc6 and fc7 (31, 33) where they are
// convolutions. For one of two stages: the names of torchvision's first versions, and those that checkpoints
// of the published fusion network have besides (its ResNet twice, its parts below "model."). Everything else
// keeps its name.
weights::TensorMap with_model_names(weights::TensorMap tensors, const DetectorModel& model);

// The other way round: a backbone's tensors, without the model's "backbone." before their names, as
// torchvision's ResNet and VGG-16 name them. What those do not have is left out.
weights::TensorMap with_torchvision_names(const weights::TensorMap& backbone, const DetectorModel& model);

// Whether a tensor of a model, or of a file with the model's names, is of the network that the detector is
// built on: the ResNet's layers, or VGG-16 up to conv5. `name` begins with backbone_prefix(), or is without
// it.
bool is_of_base_network(std::string_view name, const DetectorModel& model);

}  // namespace tune::trainer::detection
