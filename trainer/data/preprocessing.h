#pragma once
// What images become before a network sees them.
#include <array>
#include <string>

#include "tuner/core/json.h"

namespace tune::trainer::data {

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

}  // namespace tune::trainer::data
