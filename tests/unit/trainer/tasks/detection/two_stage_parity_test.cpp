// Against torchvision's Faster R-CNN, and the fusion network of a published implementation on its parts
// (tests/golden/detection/two_stage_golden.json), with the same weights.
#include <algorithm>

#include "formula_weights.h"
#include "golden_samples.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/detection/image_resizing.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/two_stage_detector.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tune::Json;
using tune::tests::check_samples;
using tune::tests::names_of;
using tune::tests::noise;

namespace {

const Json& two_stage_golden() {
  static const Json json =
      Json::parse(tune::read_file(TUNE_SOURCE_DIR "/tests/golden/detection/two_stage_golden.json"));
  return json;
}

// uint8 [height, width, 3], as image() of the script.
torch::Tensor image(const std::string& name, std::int64_t height, std::int64_t width) {
  const torch::Tensor planes = ((noise(name, 3 * height * width) + 0.5) * 256).floor();
  return planes.view({3, height, width}).permute({1, 2, 0}).to(torch::kByte);
}

// Images in the upper left of squares, as data sets and endpoints give them.
DetectorInput input_of(const std::vector<torch::Tensor>& pictures, const data::Preprocessing& preprocessing) {
  DetectorInput input;
  std::int64_t side = 0;
  for (const torch::Tensor& picture : pictures) {
    input.shown.push_back({static_cast<int>(picture.size(1)), static_cast<int>(picture.size(0))});
    side = std::max({side, picture.size(0), picture.size(1)});
  }
  torch::Tensor squares =
      torch::full({static_cast<std::int64_t>(pictures.size()), side, side, 3}, 77, torch::kByte);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    squares[static_cast<std::int64_t>(i)]
        .narrow(0, 0, pictures[i].size(0))
        .narrow(1, 0, pictures[i].size(1))
        .copy_(pictures[i]);
  input.images = nn::Normaliser(preprocessing.mean, preprocessing.std, torch::kCPU)(squares);
  return input;
}

// As the script has it: every anchor and every region is learned from, so that nothing is drawn.
DetectorModel without_draw(DetectorModel kind) {
  auto& network = std::get<TwoStageNetwork>(kind.network);
  network.proposals.sampling.count = network.head.sampling.count = 1'000'000;
  return kind;
}

const std::vector<std::vector<GroundTruth>> kObjects{{{10, 12, 60, 90, 1, 0, false, false},
                                                      {30, 4, 90, 30, 2, 0, false, false},
                                                      {5, 60, 95, 75, 4, 0, false, false}},
                                                     {{20, 20, 110, 70, 6, 0, false, false}}};

bool is_same(const ScoredBox& found, const Json& expected, images::Size size) {
  const double width = size.width, height = size.height;
  const double corners[] = {found.box.x1 * width, found.box.y1 * height, found.box.x2 * width,
                            found.box.y2 * height};
  bool same =
      found.category == expected[0].get<int>() && std::abs(found.score - expected[1].get<double>()) <= 1e-3;
  for (std::size_t side = 0; side < 4; ++side)
    same = same && std::abs(corners[side] - expected[2 + side].get<double>()) <= 0.1;
  return same;
}

// Which of two equal regions goes on hangs on the last bits; the script shook them to see how many.
void check_detections(const std::vector<ScoredBox>& found, const Json& expected, images::Size size) {
  REQUIRE(!expected.empty());
  CHECK(std::abs(static_cast<double>(found.size()) - static_cast<double>(expected.size())) <=
        0.1 * static_cast<double>(expected.size()));
  std::size_t seen = 0;
  for (const Json& one : expected)
    if (std::any_of(found.begin(), found.end(),
                    [&](const ScoredBox& box) { return is_same(box, one, size); }))
      ++seen;
  INFO(seen << " of " << expected.size());
  CHECK(static_cast<double>(seen) >= 0.9 * static_cast<double>(expected.size()));
}

void check_maps(TwoStageModelImpl& model, const DetectorInput& input,
                const data::Preprocessing& preprocessing, const Json& expected) {
  const torch::NoGradGuard no_grad;
  const ResizedImages resized = resize_images(input.images, input.shown, preprocessing);
  for (std::size_t i = 0; i < resized.sizes.size(); ++i) {
    CHECK(resized.sizes[i].height == expected["sizes"][i][0].get<int>());
    CHECK(resized.sizes[i].width == expected["sizes"][i][1].get<int>());
  }
  const std::vector<torch::Tensor> maps = model.maps(resized.pixels);
  REQUIRE(maps.size() == expected["maps"].size());
  for (std::size_t i = 0; i < maps.size(); ++i) check_samples(maps[i], expected["maps"][i], 1e-4);
}

// Two images of different shapes: maps, detections, losses, gradients.
void check_detector(TwoStageDetector& detector, const DetectorModel& kind, const std::string& name,
                    const Json& expected) {
  auto& model = dynamic_cast<TwoStageModelImpl&>(detector.network());
  tune::tests::fill(model);
  model.eval();
  const DetectorInput input =
      input_of({image(name + " 0", 100, 100), image(name + " 1", 80, 120)}, kind.preprocessing);
  check_maps(model, input, kind.preprocessing, expected);

  {
    const torch::NoGradGuard no_grad;
    const auto found = detector.answer(input, kind.limits, {}, nullptr, {}).found;
    REQUIRE(found.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) check_detections(found[i], expected["detections"][i], input.shown[i]);
  }

  weights::TensorMap tensors;
  const auto objects = detector.object_tensors(3, {});
  objects->add(kObjects, tensors);
  model.train();
  for (const auto& child : model.modules())
    if (child->as<torch::nn::BatchNorm2d>()) child->eval();
  const DetectorLosses losses = detector.losses(input, tensors, *objects, *parallel::alone());
  const Json& apart = expected["losses"];
  CHECK(
      losses.cross_entropy.item<double>() ==
      Approx(apart["loss_classifier"].get<double>() + apart["loss_objectness"].get<double>()).epsilon(1e-4));
  CHECK(losses.smooth_l1.item<double>() ==
        Approx(apart["loss_box_reg"].get<double>() + apart["loss_rpn_box_reg"].get<double>()).epsilon(1e-4));
  (losses.cross_entropy + losses.smooth_l1).backward();
  const auto parameters = model.named_parameters();
  for (const auto& [parameter, gradient] : expected["gradients"].items()) {
    INFO(parameter);
    const double scale = std::sqrt(gradient["mean_square"].get<double>());
    check_samples(parameters[parameter].grad(), gradient, 0.02 * scale, 5e-3);
  }
}

}  // namespace

TEST_CASE("Images of any shape are resized and padded as torchvision's") {
  data::Preprocessing preprocessing{160};
  preprocessing.longest = 260;
  for (const Json& expected : two_stage_golden()["transform"]) {
    const int height = expected["height"], width = expected["width"];
    INFO(height << " x " << width);
    const DetectorInput input =
        input_of({image("transform", height, width), image("square", 40, 40)}, preprocessing);
    const ResizedImages resized = resize_images(input.images, input.shown, preprocessing);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(resized.sizes[i].height == expected["sizes"][i][0].get<int>());
      CHECK(resized.sizes[i].width == expected["sizes"][i][1].get<int>());
    }
    check_samples(resized.pixels, expected["pixels"], 1e-4);
  }
}

TEST_CASE("fasterrcnn-resnet18-fpn answers, learns and detects as torchvision's Faster R-CNN") {
  const Json& expected = two_stage_golden()["small"];
  const DetectorModel kind = without_draw(detector_model("fasterrcnn-resnet18-fpn"));
  TwoStageDetector detector(kind, 6);
  REQUIRE(names_of(detector.network()) == expected["names"].get<std::vector<std::string>>());
  check_detector(detector, kind, "small", expected);
}

TEST_CASE("A Defect Detection Network answers, learns and detects as the published one, under its names") {
  const Json& expected = two_stage_golden()["fusion"];
  DetectorModel kind = without_draw(detector_model("ddn-resnet34"));
  kind.preprocessing.size = 160;
  kind.preprocessing.longest = 267;
  TwoStageDetector detector(kind, 6);
  REQUIRE(names_of(detector.network()) == expected["names"].get<std::vector<std::string>>());
  check_detector(detector, kind, "fusion", expected);
}

TEST_CASE("fasterrcnn-resnet50-fpn detects as torchvision's fasterrcnn_resnet50_fpn, under its names") {
  const torch::NoGradGuard no_grad;
  const Json& expected = two_stage_golden()["large"];
  const DetectorModel& kind = detector_model("fasterrcnn-resnet50-fpn");
  TwoStageDetector detector(kind, 6);
  REQUIRE(names_of(detector.network()) == expected["names"].get<std::vector<std::string>>());
  CHECK(kind.parameters.of(6) == expected["parameters"].get<std::int64_t>());
  auto& model = dynamic_cast<TwoStageModelImpl&>(detector.network());
  tune::tests::fill(model);
  model.eval();
  const DetectorInput input = input_of({image("large", 90, 120)}, kind.preprocessing);
  check_maps(model, input, kind.preprocessing, expected);
  check_detections(detector.answer(input, kind.limits, {}, nullptr, {}).found.at(0),
                   expected["detections"][0], input.shown[0]);
}
