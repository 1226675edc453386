#pragma once
// The detectors that tune-train knows.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/tasks/detection/default_boxes.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

// What images must look like before they enter a network. Travels with the weights.
struct Preprocessing {
  int size = 0;  // pixels of each side of the square input
  // Per channel red, green, blue, of pixels scaled to [0, 1]: those of torchvision's ImageNet weights.
  std::array<double, 3> mean{0.485, 0.456, 0.406}, std{0.229, 0.224, 0.225};
  bool operator==(const Preprocessing&) const = default;
};

OrderedJson to_json(const Preprocessing& preprocessing);
// `place` names the file in errors. Throws Error(kBadData).
Preprocessing preprocessing_from_json(const Json& json, const std::string& place);

struct DetectorModel {
  std::string name;
  std::string description;
  Preprocessing preprocessing;
  std::array<int, 4> blocks;     // of the ResNet's four layers
  std::int64_t base_channels;    // of its first layer; 64 is torchvision's
  std::int64_t neck_channels;    // of every map that the heads look at
  std::vector<FeatureMap> maps;  // strides 8, 16, 32, then each half of the one before
};

const std::vector<DetectorModel>& detector_models();
// Throws Error(kBadSpec) with the names that there are.
const DetectorModel& detector_model(const std::string& name);

}  // namespace tune::trainer::detection
