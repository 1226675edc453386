#include "trainer/tasks/detection/models.h"

#include <cmath>

#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

Shape shape_of(double side, double aspect_ratio) {
  return {side * std::sqrt(aspect_ratio), side / std::sqrt(aspect_ratio)};
}

// Five maps from stride 8 down to a cell or two. With these scales 95 % of the objects of NEU-DET overlap a
// box by one half; smaller ones lose the pitted surfaces, larger ones the inclusions. 5 and 1/5, twice, are
// for long thin objects such as scratches: with the usual ratios up to 3 only a quarter to four tenths of the
// scratches of NEU-DET overlap a box by one half, with these eight tenths.
std::vector<FeatureMap> five_maps(std::array<int, 5> cells) {
  constexpr std::array<double, 6> kScales{0.15, 0.27, 0.42, 0.62, 0.85, 1.05};
  std::vector<FeatureMap> maps;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    FeatureMap map{cells[i], static_cast<double>(cells[i]), {}};
    for (const double ratio : {1.0, 2.0, 1.0 / 2, 3.0, 1.0 / 3, 5.0, 1.0 / 5})
      map.shapes.push_back(shape_of(kScales[i], ratio));
    const double larger = std::sqrt(kScales[i] * kScales[i + 1]);
    for (const double ratio : {1.0, 5.0, 1.0 / 5}) map.shapes.push_back(shape_of(larger, ratio));
    maps.push_back(std::move(map));
  }
  return maps;
}

// The published networks' boxes on one map: a square, a larger one, then the square's area at each ratio,
// lying and standing.
FeatureMap published_map(int cells, double grid, double side, double larger_side, int largest_ratio) {
  FeatureMap map{cells, grid, {{side, side}, {larger_side, larger_side}}};
  for (int ratio = 2; ratio <= largest_ratio; ++ratio) {
    const Shape lying = shape_of(side, ratio);
    map.shapes.push_back(lying);
    map.shapes.push_back({lying.height, lying.width});
  }
  return map;
}

// torchvision's ssd300_vgg16: scales for COCO, strides that do not divide 300, sides limited to the image's.
std::vector<FeatureMap> torchvision_maps() {
  constexpr std::array<double, 7> kScales{0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05};
  constexpr std::array<int, 6> kCells{38, 19, 10, 5, 3, 1}, kStrides{8, 16, 32, 64, 100, 300},
      kLargestRatio{2, 3, 3, 3, 2, 2};
  std::vector<FeatureMap> maps;
  for (std::size_t i = 0; i < kCells.size(); ++i) {
    maps.push_back(published_map(kCells[i], 300.0 / kStrides[i], kScales[i],
                                 std::sqrt(kScales[i] * kScales[i + 1]), kLargestRatio[i]));
    for (Shape& shape : maps.back().shapes) shape = {std::min(shape.width, 1.0), std::min(shape.height, 1.0)};
  }
  return maps;
}

// GluonCV's ssd_512_vgg16_atrous.
std::vector<FeatureMap> gluon_maps() {
  constexpr std::array<double, 8> kSides{51.2, 76.8, 153.6, 230.4, 307.2, 384, 460.8, 537.6};
  constexpr std::array<int, 7> kCells{64, 32, 16, 8, 4, 2, 1}, kLargestRatio{2, 3, 3, 3, 3, 2, 2};
  std::vector<FeatureMap> maps;
  for (std::size_t i = 0; i < kCells.size(); ++i)
    maps.push_back(published_map(kCells[i], kCells[i], kSides[i] / 512,
                                 std::sqrt(kSides[i] * kSides[i + 1]) / 512, kLargestRatio[i]));
  return maps;
}

// MXNet's example/ssd with resnet50.
std::vector<FeatureMap> mxnet_maps() {
  constexpr std::array<double, 6> kSides{.1, .2, .37, .54, .71, .88},
      kLarger{.141, .272, .447, .619, .79, .961};
  constexpr std::array<int, 6> kCells{19, 10, 5, 3, 2, 1}, kLargestRatio{2, 3, 3, 3, 2, 2};
  std::vector<FeatureMap> maps;
  for (std::size_t i = 0; i < kCells.size(); ++i)
    maps.push_back(published_map(kCells[i], kCells[i], kSides[i], kLarger[i], kLargestRatio[i]));
  return maps;
}

constexpr std::array<double, 3> kOver255{1.0 / 255, 1.0 / 255, 1.0 / 255};

DetectorModel ssd300_vgg16() {
  DetectorModel model{
      "ssd300-vgg16",
      "SSD at 300 pixels on VGG-16, torchvision's ssd300_vgg16, whose weights it can start "
      "from",
      {300, {0.48235, 0.45882, 0.40784}, kOver255},
      // torchvision limits the length itself, to 1e-12.
      VggNetwork{
          {{256, 512, 3, 2, 1}, {128, 256, 3, 2, 1}, {128, 256, 3, 1, 0}, {128, 256, 3, 1, 0}}, 1e-24, true},
      torchvision_maps(),
      {},
      {},
      {23612246, 133662},
      {30377933312, 49780224}};
  model.rules.matching = Matching::kForced;
  model.limits.per_image = 200;
  model.limits.largest_log_size = std::log(1000.0F / 16);
  return model;
}

DetectorModel ssd512_vgg16() {
  DetectorModel model{"ssd512-vgg16",
                      "SSD at 512 pixels on VGG-16, GluonCV's ssd_512_vgg16_atrous; takes VGG-16 weights for "
                      "pixels from 0 to 255",
                      // GluonCV takes torchvision's mean and deviation out, then multiplies by 255 times the
                      // deviation again.
                      {512, {0.485, 0.456, 0.406}, kOver255},
                      VggNetwork{{{256, 512, 3, 2, 1},
                                  {128, 256, 3, 2, 1},
                                  {128, 256, 3, 2, 1},
                                  {128, 256, 3, 2, 1},
                                  {128, 256, 4, 1, 1}},
                                 1e-5,
                                 false},
                      gluon_maps(),
                      {},
                      {},
                      {24238836, 147492},
                      {87400899584, 140350464}};
  model.limits.in_total = 400;
  return model;
}

DetectorModel ssd300_resnet50() {
  DetectorModel model{
      "ssd300-resnet50",
      "SSD at 300 pixels on ResNet-50, MXNet's layout; the backbone can start from "
      "torchvision's weights",
      {300},
      ResNet50Network{{{256, 512, 3, 2, 1}, {128, 256, 3, 2, 1}, {128, 256, 3, 2, 1}, {128, 128, 3, 2, 1}}},
      mxnet_maps(),
      {Matching::kBipartite, LossDivisor::kCounted, 2},
      {},
      {27096022, 202782},
      {7839706880, 25224192}};
  model.limits.in_total = 400;
  model.limits.one_class_per_box = true;
  return model;
}

// torchvision's RoIHeads.
DetectionLimits two_stage_limits() {
  DetectionLimits limits;
  limits.score = 0.05F;
  limits.overlap = 0.5F;
  limits.per_class = 1000;
  limits.largest_log_size = std::log(1000.0F / 16);
  return limits;
}

data::Preprocessing by_shorter_side(int shorter, int longest) {
  data::Preprocessing preprocessing{shorter};
  preprocessing.longest = longest;
  return preprocessing;
}

// One size for each map, as torchvision has it.
std::vector<std::vector<double>> sides_by_map(const std::vector<double>& sides) {
  std::vector<std::vector<double>> by_map;
  for (const double side : sides) by_map.push_back({side});
  return by_map;
}

DetectorModel fasterrcnn_resnet50() {
  TwoStageNetwork network{{3, 4, 6, 3}, 64, nn::ResNetBlock::kBottleneck, 256, {}, {}, true};
  network.proposals.sides = sides_by_map({32, 64, 128, 256, 512});
  return {"fasterrcnn-resnet50-fpn",
          "Faster R-CNN on ResNet-50 with a feature pyramid, torchvision's fasterrcnn_resnet50_fpn, whose "
          "weights it can start from",
          by_shorter_side(800, 1333),
          network,
          {},
          {},
          two_stage_limits(),
          {41347156, 5125},
          {133918921216, 5120000}};
}

// For images of a few hundred pixels on a CPU. Anchors of 1 to 5 and 5 to 1 are for long thin objects such as
// scratches.
DetectorModel fasterrcnn_resnet18() {
  TwoStageNetwork network{{2, 2, 2, 2}, 64, nn::ResNetBlock::kBasic, 128, {}, {}, true};
  network.proposals.sides = sides_by_map({16, 32, 64, 128, 256});
  network.proposals.ratios = {0.2, 0.5, 1, 2, 5};
  network.proposals.training = {400, 300};
  network.proposals.inference = {200, 150};
  network.head.width = 512;
  network.head.sampling.count = 128;
  return {"fasterrcnn-resnet18-fpn",
          "Faster R-CNN at 224 pixels on ResNet-18, whose torchvision weights it can start from",
          by_shorter_side(224, 373),
          network,
          {},
          {},
          two_stage_limits(),
          {15518046, 2565},
          {3627172480, 384000}};
}

DetectorModel fasterrcnn_resnet18_half() {
  TwoStageNetwork network{{2, 2, 2, 2}, 32, nn::ResNetBlock::kBasic, 64, {}, {}, true};
  network.proposals.sides = sides_by_map({12, 24, 40, 64, 96});
  network.proposals.ratios = {0.2, 0.5, 1, 2, 5};
  network.proposals.training = {200, 200};
  network.proposals.inference = {100, 100};
  network.proposals.sampling.count = 128;
  network.head.width = 256;
  network.head.sampling.count = 64;
  return {"fasterrcnn-resnet18-half-fpn",
          "Faster R-CNN at 128 pixels on a ResNet-18 with half the channels: small enough for a CPU",
          by_shorter_side(128, 213),
          network,
          {},
          {},
          two_stage_limits(),
          {3886270, 1285},
          {351174912, 128000}};
}

// The Defect Detection Network as a published implementation has it. On ResNet-50 that one does not run,
// since its heads expect the 512 channels of the fusion on ResNet-34; here they take what the fusion gives.
DetectorModel ddn(const std::string& name, const std::string& resnet, nn::ResNetBlock block,
                  nn::Cost parameters, nn::Cost multiply_adds) {
  TwoStageNetwork network{{3, 4, 6, 3}, 64, block, std::nullopt, {}, {}, false};
  network.proposals.sides = {{64, 128, 256, 512}};
  network.proposals.training = {1000, 1000};
  network.proposals.inference = {500, 500};
  return {name,
          "the Defect Detection Network: Faster R-CNN on the fused maps of a " + resnet +
              ", whose torchvision weights it can start from",
          by_shorter_side(800, 1333),
          network,
          {},
          {},
          two_stage_limits(),
          parameters,
          multiply_adds};
}

}  // namespace

const std::vector<DetectorModel>& detector_models() {
  static const std::vector<DetectorModel> models{
      {"ssd224-resnet18",
       "SSD at 224 pixels on ResNet-18, whose torchvision weights it can start from",
       {224},
       PyramidNetwork{{2, 2, 2, 2}, 64, 128},
       five_maps({28, 14, 7, 4, 2}),
       {},
       {},
       {12087794, 11530},
       {2051143936, 12084480}},
      {"ssd128-resnet18-half",
       "SSD at 128 pixels on a ResNet-18 with half the channels: small enough for a CPU",
       {128},
       PyramidNetwork{{2, 2, 2, 2}, 32, 64},
       five_maps({16, 8, 4, 2, 1}),
       {},
       {},
       {3041554, 5770},
       {181906048, 1964160}},
      ssd300_resnet50(),
      ssd300_vgg16(),
      ssd512_vgg16(),
      fasterrcnn_resnet18_half(),
      fasterrcnn_resnet18(),
      fasterrcnn_resnet50(),
      ddn("ddn-resnet34", "ResNet-34", nn::ResNetBlock::kBasic, {52963713, 5125}, {68273664000, 2560000}),
      ddn("ddn-resnet50", "ResNet-50", nn::ResNetBlock::kBottleneck, {205842561, 5125},
          {233943552000, 2560000}),
  };
  return models;
}

const DetectorModel& detector_model(const std::string& name) {
  std::string known;
  for (const DetectorModel& model : detector_models()) {
    if (model.name == name) return model;
    known += (known.empty() ? "" : ", ") + model.name;
  }
  throw Error(ExitCode::kBadSpec, "unknown detection model \"" + name + "\"", "there are " + known);
}

}  // namespace tune::trainer::detection
