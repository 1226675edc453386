// Against torchvision's answers in tests/golden/detection/ssd_golden.json, with the same weights.
#include <algorithm>

#include "formula_weights.h"
#include "golden_samples.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/detection/detections.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/ssd_model.h"
#include "trainer/tasks/detection/target_maker.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tune::Json;
using tune::tests::check_samples;
using tune::tests::names_of;

namespace {

const Json& golden() {
  static const Json json =
      Json::parse(tune::read_file(TUNE_SOURCE_DIR "/tests/golden/detection/ssd_golden.json"));
  return json;
}

std::vector<std::vector<GroundTruth>> golden_objects(const Json& images) {
  std::vector<std::vector<GroundTruth>> objects;
  for (const Json& image : images) {
    objects.emplace_back();
    for (const Json& object : image)
      objects.back().push_back(
          {object[0], object[1], object[2], object[3], object[4].get<int>(), 0, false, false});
  }
  return objects;
}

bool is_same(const ScoredBox& found, const Json& expected, double size) {
  const double corners[] = {found.box.x1, found.box.y1, found.box.x2, found.box.y2};
  bool same =
      found.category == expected[0].get<int>() && std::abs(found.score - expected[1].get<double>()) <= 1e-5;
  for (std::size_t side = 0; side < 4; ++side)
    same = same && std::abs(corners[side] * size - expected[2 + side].get<double>()) <= 0.02;
  return same;
}

// torchvision keeps boxes that clipping to the image leaves nothing of; what they take of its 200 places the
// next best have here. Scores that are equal but for rounding may come in any order.
void check_detections(const std::vector<ScoredBox>& found, const Json& expected, double size) {
  REQUIRE(found.size() == expected.size());
  std::size_t with_area = 0;
  for (const Json& one : expected) with_area += one[4] > one[2] && one[5] > one[3] ? 1U : 0U;
  std::size_t seen = 0;
  for (const Json& one : expected) {
    if (one[4] <= one[2] || one[5] <= one[3]) continue;
    INFO(one);
    CHECK(std::any_of(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(with_area),
                      [&](const ScoredBox& box) { return is_same(box, one, size); }));
    ++seen;
  }
  CHECK(seen > 150);
}

}  // namespace

TEST_CASE("ssd300-vgg16 answers, learns and detects as torchvision's ssd300_vgg16") {
  const Json& expected = golden()["ssd300_vgg16"];
  const DetectorModel& kind = detector_model("ssd300-vgg16");
  SsdModel model(kind, 6);
  REQUIRE(names_of(*model) == expected["names"].get<std::vector<std::string>>());
  CHECK(kind.parameters.of(6) == expected["parameters"].get<std::int64_t>());
  tune::tests::fill(*model);
  model->eval();

  const std::vector<Box> boxes = default_boxes(kind.maps);
  std::vector<float> corners;
  for (const Box& box : boxes) corners.insert(corners.end(), {box.x1, box.y1, box.x2, box.y2});
  check_samples(torch::tensor(corners).view({-1, 4}), expected["default_boxes"], 1e-6);

  const torch::Tensor bytes =
      torch::stack({tune::tests::pixels("pixels 0", 300), tune::tests::pixels("pixels 1", 300)});
  const torch::Tensor images =
      nn::Normaliser(kind.preprocessing.mean, kind.preprocessing.std, torch::kCPU)(bytes);
  check_samples(images, expected["input"], 1e-4);
  const SsdOutput output = model(images);
  check_samples(output.logits, expected["logits"], 1e-4);
  check_samples(output.offsets, expected["offsets"], 1e-4);

  const Targets targets = make_targets(golden_objects(expected["objects"]), 300, boxes, kind.rules.matching);
  const SsdLoss loss = ssd_loss(output.logits, output.offsets, targets, kind.rules.divisor);
  CHECK(loss.cross_entropy.item<double>() ==
        Approx(expected["losses"]["cross_entropy"].get<double>()).epsilon(1e-5));
  CHECK(loss.smooth_l1.item<double>() == Approx(expected["losses"]["smooth_l1"].get<double>()).epsilon(1e-5));
  loss.total().backward();
  const auto parameters = model->named_parameters();
  for (const auto& [name, gradient] : expected["gradients"].items()) {
    INFO(name);
    // Rounding decides which of two equal pixels a pooling layer takes, and 15 layers add that up.
    const double scale = std::sqrt(gradient["mean_square"].get<double>());
    check_samples(parameters[name].grad(), gradient, 0.02 * scale, 1e-3);
  }

  const torch::Tensor scores = torch::softmax(output.logits.detach(), -1).contiguous();
  const torch::Tensor offsets = output.offsets.detach().contiguous();
  for (std::int64_t i = 0; i < 2; ++i)
    check_detections(detect(scores[i].data_ptr<float>(), offsets[i].data_ptr<float>(), boxes, 6, kind.limits),
                     expected["detections"][static_cast<std::size_t>(i)], 300);
}

TEST_CASE("The backbone of ssd300-resnet50 answers as torchvision's resnet50") {
  const torch::NoGradGuard no_grad;
  const Json& expected = golden()["resnet50"];
  constexpr std::array<int, 4> kBlocks{3, 4, 6, 3};
  nn::ResNet backbone(kBlocks, 64, nn::ResNetBlock::kBottleneck);
  REQUIRE(names_of(*backbone) == expected["names"].get<std::vector<std::string>>());
  tune::tests::fill(*backbone);
  backbone->eval();
  const auto maps = backbone(tune::tests::noise("resnet input", 3 * 128 * 128).view({1, 3, 128, 128}) * 4);
  check_samples(maps[0], expected["layer2"], 1e-4);
  check_samples(maps[1], expected["layer3"], 1e-4);
  check_samples(maps[2], expected["layer4"], 1e-4);
}
