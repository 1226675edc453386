#pragma once
// The detectors that tune-train knows.
#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "trainer/data/preprocessing.h"
#include "trainer/nn/cost.h"
#include "trainer/nn/ssd_vgg16.h"
#include "trainer/tasks/detection/default_boxes.h"
#include "trainer/tasks/detection/detections.h"
#include "trainer/tasks/detection/matching.h"
#include "trainer/tasks/detection/ssd_loss.h"
#include "trainer/tasks/detection/two_stage_layout.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

// A ResNet of basic blocks with a top-down path; maps at strides 8, 16, 32, then each half of the one before,
// and the same heads on all of them.
struct PyramidNetwork {
  std::array<int, 4> blocks;   // of the ResNet's four layers
  std::int64_t base_channels;  // of its first layer; 64 is torchvision's
  std::int64_t neck_channels;  // of every map that the heads look at
};

// VGG-16 with extra maps, and heads of their own on each.
using VggNetwork = nn::VggLayout;

// ResNet-50's maps at strides 16 and 32 with extra maps, and heads of their own on each.
struct ResNet50Network {
  std::vector<nn::ExtraMap> extras;
};

// Where the published recipes of the models differ in training.
struct TrainingRules {
  Matching matching = Matching::kBipartite;
  LossDivisor divisor = LossDivisor::kPositives;
  double bias_learning_rate = 1;  // that of the biases of convolutions, as a multiple of the others'
};

struct DetectorModel {
  std::string name;
  std::string description;
  data::Preprocessing preprocessing;
  std::variant<PyramidNetwork, VggNetwork, ResNet50Network, TwoStageNetwork> network;
  std::vector<FeatureMap> maps;  // none for two stages, whose anchors depend on the image
  TrainingRules rules;
  DetectionLimits limits;
  // The background is no class here.
  nn::Cost parameters;  // that are trained
  // Of the layers of one forward pass over one image: a square of `preprocessing.size`, with as many regions
  // as there may be.
  nn::Cost multiply_adds;
};

inline bool is_two_stage(const DetectorModel& model) {
  return std::holds_alternative<TwoStageNetwork>(model.network);
}

const std::vector<DetectorModel>& detector_models();
// Throws Error(kBadSpec) with the names that there are.
const DetectorModel& detector_model(const std::string& name);

}  // namespace tune::trainer::detection
