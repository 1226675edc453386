#include <cmath>
#include <set>

#include "torch_catch.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/detection/default_boxes.h"
#include "trainer/tasks/detection/detections.h"
#include "trainer/tasks/detection/matching.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/ssd_model.h"
#include "trainer/tasks/detection/target_maker.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;

TEST_CASE("Coding a box and decoding it gives the box back") {
  const Box place{0.2F, 0.1F, 0.5F, 0.4F};
  for (const Box& box :
       {Box{0.25F, 0.15F, 0.35F, 0.6F}, Box{0, 0, 1, 1}, Box{0.3F, 0.3F, 0.31F, 0.32F}, place}) {
    const Box back = decode_box(encode_box(box, place), place);
    CHECK(back.x1 == Approx(box.x1).margin(1e-5));
    CHECK(back.y1 == Approx(box.y1).margin(1e-5));
    CHECK(back.x2 == Approx(box.x2).margin(1e-5));
    CHECK(back.y2 == Approx(box.y2).margin(1e-5));
  }
  const BoxOffsets same = encode_box(place, place);
  for (const float offset : same) CHECK(offset == Approx(0).margin(1e-6));
}

TEST_CASE("Offsets are those of the paper") {
  // Half a width to the right, twice as high.
  const BoxOffsets offsets = encode_box({0.5F, 0.2F, 0.7F, 1.0F}, {0.4F, 0.4F, 0.6F, 0.8F});
  CHECK(offsets[0] == Approx(0.5 / 0.1).epsilon(1e-4));
  CHECK(offsets[1] == Approx(0).margin(1e-4));
  CHECK(offsets[2] == Approx(0).margin(1e-4));
  CHECK(offsets[3] == Approx(std::log(2.0) / 0.2).epsilon(1e-4));
}

TEST_CASE("Absurd offsets decode to finite boxes") {
  const Box box = decode_box({1e6F, -1e6F, 1e6F, 1e6F}, {0, 0, 0.5F, 0.5F});
  CHECK(std::isfinite(box.x1 + box.y1 + box.x2 + box.y2));
}

TEST_CASE("Boxes that overlap an object by half or more learn it, others are background") {
  const std::vector<Box> places{
      {0, 0, 0.4F, 0.4F}, {0, 0, 0.4F, 0.2F}, {0, 0, 0.4F, 0.19F}, {0.6F, 0.6F, 1, 1}};
  CHECK(match({{0, 0, 0.4F, 0.4F}}, places) == std::vector<int>{0, 0, -1, -1});
}

TEST_CASE("Every object gets a box of its own, however little they overlap") {
  const std::vector<Box> places{{0, 0, 0.5F, 0.5F}, {0.5F, 0, 1, 0.5F}};
  const std::vector<int> matched = match({{0.1F, 0.1F, 0.2F, 0.2F}, {0.45F, 0.1F, 0.55F, 0.2F}}, places);
  CHECK(matched == std::vector<int>{0, 1});
}

TEST_CASE(
    "Two objects that want one box share it out: the better overlap wins, the other takes its next best") {
  const std::vector<Box> places{{0, 0, 0.5F, 0.5F}, {0.3F, 0.3F, 0.9F, 0.9F}};
  const std::vector<Box> objects{{0.02F, 0.02F, 0.5F, 0.5F}, {0, 0, 0.5F, 0.5F}};
  CHECK(match(objects, places) == std::vector<int>{1, 0});
}

TEST_CASE("Forced matching gives the box that two objects want to the later one, as torchvision does") {
  const std::vector<Box> places{{0, 0, 0.5F, 0.5F}, {0.3F, 0.3F, 0.9F, 0.9F}};
  const std::vector<Box> objects{{0, 0, 0.5F, 0.5F}, {0.02F, 0.02F, 0.5F, 0.5F}};
  CHECK(match(objects, places, Matching::kForced) == std::vector<int>{1, -1});
  CHECK(match({objects[1], objects[0]}, places, Matching::kForced) == std::vector<int>{1, -1});
  CHECK(match({{0.35F, 0.35F, 0.4F, 0.4F}}, places, Matching::kForced) == std::vector<int>{0, -1});
  CHECK(match({}, places, Matching::kForced) == std::vector<int>{-1, -1});
}

TEST_CASE("An image without objects matches nothing") {
  CHECK(match({}, {{0, 0, 1, 1}, {0, 0, 0.5F, 1}}) == std::vector<int>{-1, -1});
}

TEST_CASE("Each single-shot model's network gives as many outputs as it has default boxes") {
  const torch::NoGradGuard no_grad;
  for (const DetectorModel& kind : detector_models()) {
    if (is_two_stage(kind)) continue;
    SsdModel model(kind, 4);
    model->eval();
    const std::int64_t size = kind.preprocessing.size;
    const SsdOutput output = model(torch::zeros({1, 3, size, size}));
    const auto boxes = static_cast<std::int64_t>(default_boxes(kind.maps).size());
    CHECK(output.logits.sizes() == at::IntArrayRef({1, boxes, 5}));
    CHECK(output.offsets.sizes() == at::IntArrayRef({1, boxes, 4}));
  }
}

TEST_CASE("Outputs lie in the order of the default boxes") {
  // With all weights zero but one bias, exactly one shape of every cell answers, whatever the map.
  const torch::NoGradGuard no_grad;
  const DetectorModel& kind = detector_model("ssd128-resnet18-half");
  SsdModel model(kind, 1);
  model->eval();
  auto parameters = model->named_parameters();
  for (auto& parameter : parameters) parameter.value().zero_();
  parameters["head.regression_head.bias"][6 * 4 + 2] = 7;
  const torch::Tensor offsets = model(torch::zeros({1, 3, 128, 128})).offsets;
  const std::vector<Box> boxes = default_boxes(kind.maps);
  for (std::int64_t i = 0; i < offsets.size(1); ++i) {
    const Box& box = boxes[static_cast<std::size_t>(i)];
    const bool is_thin_and_small = box.height() / box.width() > 4.9F && i % 10 == 6;
    REQUIRE((offsets[0][i][2].item<float>() == 7) == is_thin_and_small);
  }
}

TEST_CASE("An untrained network takes one box in a hundred for an object") {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  SsdModel model(detector_model("ssd128-resnet18-half"), 6);
  model->eval();
  const torch::Tensor scores = torch::softmax(model(torch::zeros({1, 3, 128, 128})).logits, -1);
  CHECK(1 - scores.select(-1, 0).mean().item<double>() == Approx(0.01).epsilon(0.2));
}

TEST_CASE("Suppression drops what overlaps a better box and keeps the rest") {
  const std::vector<ScoredBox> boxes{{{0, 0, 0.4F, 0.4F}, 1, 0.9F},
                                     {{0, 0, 0.4F, 0.38F}, 1, 0.8F},
                                     {{0.3F, 0.3F, 0.7F, 0.7F}, 1, 0.7F},
                                     {{0, 0, 0.4F, 0.2F}, 1, 0.6F}};
  CHECK(suppress(boxes, 0.45F) == std::vector<std::size_t>{0, 2});
  CHECK(suppress(boxes, 0.96F).size() == 4);
  CHECK(suppress({}, 0.45F).empty());
}

TEST_CASE("Detection suppresses within a class only, sorts by score and keeps to its limits") {
  const std::vector<Box> places{{0, 0, 0.5F, 0.5F}, {0, 0, 0.5F, 0.45F}, {0.5F, 0.5F, 1.5F, 1.5F}};
  const std::vector<float> scores{0.1F, 0.6F, 0.3F, 0.1F, 0.5F, 0.4F, 0.095F, 0.9F, 0.005F};
  const std::vector<float> offsets(12, 0.0F);
  const auto found = detect(scores.data(), offsets.data(), places, 2, {});
  REQUIRE(found.size() == 3);
  CHECK(found[0].category == 1);
  CHECK(found[0].score == 0.9F);
  CHECK(found[0].box.x2 == 1.0F);  // clipped to the image
  CHECK(found[1].score == 0.6F);
  CHECK(found[2].category == 2);
  CHECK(found[2].score == 0.4F);

  DetectionLimits limits;
  limits.per_image = 1;
  CHECK(detect(scores.data(), offsets.data(), places, 2, limits).size() == 1);
}

TEST_CASE("Candidates may be limited over all classes, and to the best class of a box") {
  const std::vector<Box> places{{0, 0, 0.2F, 0.2F}, {0.3F, 0, 0.5F, 0.2F}, {0.6F, 0, 0.8F, 0.2F}};
  const std::vector<float> scores{0.2F, 0.5F, 0.3F, 0.2F, 0.1F, 0.7F, 0.5F, 0.4F, 0.1F};
  const std::vector<float> offsets(12, 0.0F);
  const auto found = [&](const DetectionLimits& limits) {
    std::vector<float> kept;
    for (const ScoredBox& box : detect(scores.data(), offsets.data(), places, 2, limits))
      kept.push_back(box.score);
    return kept;
  };
  DetectionLimits limits;
  CHECK(found(limits) == std::vector<float>{0.7F, 0.5F, 0.4F, 0.3F, 0.1F, 0.1F});
  limits.one_class_per_box = true;
  CHECK(found(limits) == std::vector<float>{0.7F, 0.5F, 0.4F});
  limits = {};
  limits.in_total = 4;
  CHECK(found(limits) == std::vector<float>{0.7F, 0.5F, 0.4F, 0.3F});
}

TEST_CASE("Targets hold the class and offsets of what each box matched, and leave crowds out") {
  const std::vector<Box> places{{0, 0, 0.5F, 0.5F}, {0.5F, 0.5F, 1, 1}};
  GroundTruth object{0, 0, 50, 60, 3, 3000, false, false}, crowd{50, 50, 100, 100, 1, 2500, true, false};
  const Targets targets = make_targets({{object, crowd}, {}}, 100, places);
  CHECK(targets.categories.equal(torch::tensor({{3, 0}, {0, 0}}, torch::kLong)));
  const BoxOffsets expected = encode_box({0, 0, 0.5F, 0.6F}, places[0]);
  for (int i = 0; i < 4; ++i)
    CHECK(targets.offsets[0][0][i].item<float>() == expected[static_cast<std::size_t>(i)]);
}

TEST_CASE("Normalised pixels have the model's mean and deviation taken out") {
  data::Preprocessing preprocessing;
  preprocessing.mean = {0.5, 0.0, 1.0};
  preprocessing.std = {0.5, 1.0, 0.25};
  const torch::Tensor pixels = torch::full({1, 2, 2, 3}, 255, torch::kByte);
  const torch::Tensor images = nn::Normaliser(preprocessing.mean, preprocessing.std, torch::kCPU)(pixels);
  CHECK(images.sizes() == at::IntArrayRef({1, 3, 2, 2}));
  CHECK(images.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(images[0][0][0][0].item<float>() == Approx(1));
  CHECK(images[0][1][0][0].item<float>() == Approx(1));
  CHECK(images[0][2][1][1].item<float>() == Approx(0).margin(1e-6));
}
