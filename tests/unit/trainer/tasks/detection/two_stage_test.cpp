// The parts of detectors of two stages, and what is around them: draws, names of weights, images of any
// shape.
#include <fstream>
#include <sstream>

#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/loop/optimizer.h"
#include "trainer/tasks/detection/batched_boxes.h"
#include "trainer/tasks/detection/batched_detections.h"
#include "trainer/tasks/detection/detection_training.h"
#include "trainer/tasks/detection/image_set.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/two_stage_detector.h"
#include "trainer/tasks/detection/weight_names.h"
#include "tuner/core/error.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tune::Json;
using tune::tests::TemporaryFolder;

namespace {

const DetectorModel& half_fpn() { return detector_model("fasterrcnn-resnet18-half-fpn"); }

torch::Tensor longs(const std::vector<std::int64_t>& numbers) {
  return torch::tensor(at::ArrayRef<std::int64_t>(numbers));
}

std::vector<std::int64_t> numbers_of(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.contiguous();
  const auto* first = plain.const_data_ptr<std::int64_t>();
  return {first, first + plain.numel()};
}

}  // namespace

TEST_CASE("A sample takes objects up to their share and fills up with background, by the largest keys") {
  const torch::Tensor labels = longs({1, 0, 1, -1, 0, 1, 0, 0});
  const torch::Tensor keys = torch::tensor({0.1F, 0.2F, 0.3F, 0.9F, 0.4F, 0.8F, 0.6F, 0.0F});
  const SampledRegions four = sample_regions(labels, keys, {4, 0.5});
  CHECK(numbers_of(four.places) == std::vector<std::int64_t>{5, 2, 6, 4});
  CHECK(four.counts.all().item<bool>());
  // Fewer objects than their share: background takes their places.
  const SampledRegions of_one =
      sample_regions(longs({0, 1, 0, 0}), torch::tensor({0.5F, 0.0F, 0.7F, 0.1F}), {3, 0.9});
  CHECK(numbers_of(of_one.places) == std::vector<std::int64_t>{1, 2, 0});
  // Fewer boxes than asked for: what stands for nothing does not count.
  const SampledRegions all = sample_regions(labels, keys, {100, 0.25});
  CHECK(all.counts.sum().item<int>() == 7);
  CHECK(all.places.masked_select(all.counts).eq(3).sum().item<int>() == 0);
}

TEST_CASE("Boxes stand for the object that they overlap most, for background, or for nothing") {
  const torch::Tensor objects = torch::tensor({{0.0F, 0.0F, 10.0F, 10.0F},
                                               {20.0F, 20.0F, 24.0F, 24.0F},
                                               {0.0F, 0.0F, 0.0F, 0.0F}}),
                      is_object = torch::tensor({true, true, false});
  const torch::Tensor boxes = torch::tensor({{0.0F, 0.0F, 10.0F, 9.0F},
                                             {0.0F, 0.0F, 10.0F, 5.0F},
                                             {50.0F, 50.0F, 60.0F, 60.0F},
                                             {20.0F, 20.0F, 30.0F, 30.0F}});
  const MatchedRegions plain = match_regions(boxes, objects, is_object, {0.7F, 0.3F, false});
  CHECK(numbers_of(plain.labels) == std::vector<std::int64_t>{1, -1, 0, 0});
  CHECK(plain.objects[0].item<int>() == 0);
  const MatchedRegions forced = match_regions(boxes, objects, is_object, {0.7F, 0.3F, true});
  CHECK(numbers_of(forced.labels) == std::vector<std::int64_t>{1, -1, 0, 1});
  CHECK(forced.objects[3].item<int>() == 1);
  const MatchedRegions none =
      match_regions(boxes, objects, torch::zeros({3}, torch::kBool), {0.7F, 0.3F, true});
  CHECK(numbers_of(none.labels) == std::vector<std::int64_t>{0, 0, 0, 0});
}

TEST_CASE("Regions stay within their image, fall by score, and are those of a device") {
  torch::manual_seed(5);
  const std::vector<torch::Tensor> maps{torch::zeros({2, 1, 8, 8}), torch::zeros({2, 1, 4, 4})};
  ProposalRules rules;
  rules.sides = {{12}, {24}};
  const torch::Tensor anchors = anchor_boxes(maps, 64, 64, rules);
  REQUIRE(anchors.sizes() == at::IntArrayRef({3 * (64 + 16), 4}));
  AnchorScores scores{
      3 * torch::randn({2, anchors.size(0)}), 0.3 * torch::randn({2, anchors.size(0), 4}), {192, 48}};
  const Regions regions = propose_regions(scores, anchors, {{64, 64}, {40, 20}}, {100, 60}, 0.6F);
  CHECK(regions.boxes.sizes() == at::IntArrayRef({2, 60, 4}));
  CHECK(regions.counts[0].sum().item<int>() == 60);
  CHECK(regions.boxes[1].select(1, 2).max().item<float>() <= 40);
  CHECK(regions.boxes[1].select(1, 3).max().item<float>() <= 20);
  // No pair of one map overlaps by more; of different maps it may.
  const torch::Tensor kept = regions.boxes[0].masked_select(regions.counts[0].unsqueeze(1)).view({-1, 4});
  const torch::Tensor overlaps = pairwise_overlaps(kept, kept).triu(1);
  CHECK((overlaps > 0.6).sum().item<int>() < kept.size(0));
}

TEST_CASE("Suppression in rounds keeps what one after another keeps") {
  torch::manual_seed(6);
  const torch::Tensor corner = torch::rand({2, 80, 2}) * 20, side = torch::rand({2, 80, 2}) * 12 + 2;
  const torch::Tensor boxes = torch::cat({corner, corner + side}, 2);
  const torch::Tensor counts = torch::rand({2, 80}) < 0.9;
  const torch::Tensor stays = not_suppressed(boxes, counts, 0.4F);
  for (std::int64_t image = 0; image < 2; ++image) {
    std::vector<ScoredBox> left;
    std::vector<std::int64_t> places;
    for (std::int64_t i = 0; i < 80; ++i) {
      if (!counts[image][i].item<bool>()) continue;
      const float* at = boxes[image][i].const_data_ptr<float>();
      left.push_back({{at[0], at[1], at[2], at[3]}, 1, 1});
      places.push_back(i);
    }
    torch::Tensor expected = torch::zeros({80}, torch::kBool);
    for (const std::size_t index : suppress(left, 0.4F)) expected[places[index]] = true;
    CHECK(stays[image].equal(expected));
  }
}

TEST_CASE(
    "What a detector of two stages loses is drawn in training and the same each time in a measurement") {
  torch::manual_seed(1);
  TwoStageDetector detector(half_fpn(), 2);
  weights::TensorMap tensors;
  const auto objects = detector.object_tensors(1, {});
  objects->add({{{10, 10, 90, 60, 1, 0, false, false}}}, tensors);
  const DetectorInput input{torch::randn({1, 3, 128, 128}), {}};
  detector.network().eval();
  const torch::NoGradGuard no_grad;
  const auto measured = [&] {
    return detector.answer(input, half_fpn().limits, {}, objects.get(), tensors)
        .losses->cross_entropy.item<double>();
  };
  CHECK(measured() == measured());
  const auto drawn = [&](std::uint64_t seed) {
    torch::manual_seed(seed);
    return detector.losses(input, tensors, *objects, *parallel::alone()).cross_entropy.item<double>();
  };
  CHECK(drawn(3) == drawn(3));
  CHECK(drawn(3) != drawn(4));
}

TEST_CASE("The gradients of both stages' losses agree with finite differences") {
  torch::manual_seed(8);
  ProposalRules rules;
  rules.sides = {{16}};
  rules.sampling.count = 12;
  RegionHeadRules head;
  head.sampling.count = 8;
  const torch::Tensor anchors = anchor_boxes({torch::zeros({1, 1, 3, 3})}, 48, 48, rules);
  const ObjectBatch objects{torch::tensor({4.0F, 6.0F, 22.0F, 20.0F}).view({1, 1, 4}),
                            longs({2}).view({1, 1})};
  torch::Tensor logits = torch::randn({1, anchors.size(0)}).requires_grad_(),
                offsets = (0.3 * torch::randn({1, anchors.size(0), 4})).requires_grad_();
  const RegionSample sample = sample_of_regions(
      {anchors.unsqueeze(0), torch::ones({1, anchors.size(0)}, torch::kBool)}, objects, head, Draw::kSame);
  REQUIRE((sample.categories > 0).any().item<bool>());
  const std::int64_t regions = sample.boxes.size(0);
  torch::Tensor classes = torch::randn({regions, 4}).requires_grad_(),
                moves = torch::randn({regions, 4, 4}).requires_grad_();
  const auto total = [&] {
    const StageLosses first =
        proposal_losses({logits, offsets, {anchors.size(0)}}, anchors, objects, rules, Draw::kSame);
    const StageLosses second = region_losses({classes, moves}, sample, 1);
    return first.classes + first.boxes + second.classes + second.boxes;
  };
  total().backward();
  const torch::NoGradGuard no_grad;
  // The losses are computed in fp32, so the step is large and the tolerance wide.
  constexpr float kStep = 1e-2F;
  for (torch::Tensor* tensor : {&logits, &offsets, &classes, &moves}) {
    const torch::Tensor flat = tensor->view(-1), slopes = tensor->grad().reshape(-1);
    CHECK(slopes.abs().max().item<double>() > 1e-3);
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const float before = flat[i].item<float>();
      flat[i] = before + kStep;
      const double above = total().item<double>();
      flat[i] = before - kStep;
      const double below = total().item<double>();
      flat[i] = before;
      CHECK(slopes[i].item<double>() == Approx((above - below) / (2 * kStep)).margin(5e-3));
    }
  }
}

TEST_CASE("A detector of two stages learns no crowd region, and keeps the order of the others") {
  GroundTruth dog{1, 2, 3, 4, 2}, crowd{0, 0, 90, 90, 1}, cat{5, 6, 7, 8, 1};
  crowd.crowd = true;
  weights::TensorMap tensors;
  ObjectRows(2).add({{crowd, dog, crowd, cat}, {crowd}}, tensors);
  CHECK(numbers_of(tensors.at("categories")) == std::vector<std::int64_t>{2, 1, 0, 0});
  CHECK(tensors.at("objects").equal(torch::tensor({1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F, 7.0F, 8.0F, 0.0F, 0.0F,
                                                   0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F})
                                        .view({2, 2, 4})));
}

TEST_CASE("An image without objects teaches a detector of two stages what is background") {
  torch::manual_seed(1);
  TwoStageDetector detector(half_fpn(), 2);
  weights::TensorMap tensors;
  const auto objects = detector.object_tensors(0, {});
  objects->add({{}}, tensors);
  const DetectorLosses losses =
      detector.losses({torch::randn({1, 3, 128, 128}), {}}, tensors, *objects, *parallel::alone());
  CHECK(losses.cross_entropy.item<double>() > 0);
  CHECK(losses.smooth_l1.item<double>() == 0);
  (losses.cross_entropy + losses.smooth_l1).backward();
  for (const auto& parameter : detector.network().named_parameters()) {
    INFO(parameter.key());
    if (parameter.value().grad().defined()) CHECK(parameter.value().grad().isfinite().all().item<bool>());
  }
}

TEST_CASE(
    "The weights of torchvision's first versions load, and those of its COCO detector without an epsilon") {
  const TemporaryFolder folder;
  torch::manual_seed(2);
  const TwoStageDetector source(half_fpn(), 2);
  weights::TensorMap old;
  for (const auto& [name, tensor] : weights::state_dict(source.network())) {
    std::string first = name;
    for (const char* part : {".0.0.weight", ".0.0.bias"})
      if (first.find("rpn.head.conv") == 0 && first.ends_with(part))
        first.erase(first.size() - std::string(part).size(), 4);
    for (const char* part : {"inner_blocks.", "layer_blocks."})
      if (const std::size_t at = first.find(part); at != std::string::npos)
        first.erase(at + std::string(part).size() + 1, 2);
    if (!name.ends_with("num_batches_tracked")) old[first] = tensor;
  }
  REQUIRE(old.contains("rpn.head.conv.weight"));
  REQUIRE(old.contains("backbone.fpn.inner_blocks.0.bias"));
  weights::write_safetensors(folder.path() / "old.safetensors", old);
  TwoStageDetector loaded(half_fpn(), 2);
  std::ostringstream notes;
  initialise_from(loaded.network(), folder.path() / "old.safetensors", half_fpn(), {"a", "b"}, notes);
  INFO(notes.str());
  CHECK(notes.str().find("not in the model") == std::string::npos);
  CHECK(notes.str().find("frozen") != std::string::npos);
  const weights::TensorMap from = weights::state_dict(source.network()),
                           to = weights::state_dict(loaded.network());
  CHECK(to.at("rpn.head.conv.0.0.weight").equal(from.at("rpn.head.conv.0.0.weight")));
  CHECK(to.at("backbone.fpn.inner_blocks.0.0.bias").equal(from.at("backbone.fpn.inner_blocks.0.0.bias")));
  CHECK(to.at("backbone.body.bn1.running_var")[0].item<float>() == Approx(1 - 1e-5).epsilon(1e-7));
  // The head of other classes is drawn anew.
  CHECK_FALSE(to.at("roi_heads.box_predictor.cls_score.weight")
                  .equal(from.at("roi_heads.box_predictor.cls_score.weight")));
}

TEST_CASE("A checkpoint of the published Defect Detection Network loads, whichever of its names it has") {
  const DetectorModel& kind = detector_model("ddn-resnet34");
  torch::manual_seed(2);
  const TwoStageDetector source(kind, 6);
  const weights::TensorMap own = weights::state_dict(source.network());
  const auto renamed = [&](const std::vector<std::pair<std::string, std::string>>& parts) {
    weights::TensorMap file;
    for (const auto& [name, tensor] : own)
      for (const auto& [from, to] : parts)
        if (name.starts_with(from)) file[to + name.substr(from.size())] = tensor;
    return file;
  };
  const auto all_load = [&](const weights::TensorMap& file) {
    const weights::TensorMap named = with_model_names(file, kind);
    return std::all_of(named.begin(), named.end(),
                       [&](const auto& entry) {
                         return own.contains(entry.first) && own.at(entry.first).equal(entry.second);
                       })
               ? named.size()
               : 0;
  };
  CHECK(all_load(own) == own.size());
  CHECK(all_load(
            renamed({{"mfn.", "model.backbone."}, {"rpn.", "model.rpn."}, {"roi.", "model.roi_heads."}})) ==
        own.size());
  CHECK(all_load(renamed({{"mfn.", "model.mfn."}})) > 200);
  CHECK(all_load(renamed({{"mfn.backbone.conv1.", "mfn.start_layer.0."},
                          {"mfn.backbone.bn1.", "mfn.start_layer.1."},
                          {"mfn.backbone.layer1.", "mfn.r2."},
                          {"mfn.backbone.layer4.", "mfn.r5."}})) > 80);
  CHECK(with_model_names({{"rpn.rpn.head.conv.weight", torch::ones({1})}}, kind)
            .contains("rpn.rpn.head.conv.0.0.weight"));
}

TEST_CASE("A detector of two stages that was written and read answers the same") {
  const torch::NoGradGuard no_grad;
  const TemporaryFolder folder;
  torch::manual_seed(4);
  TwoStageDetector detector(half_fpn(), 2);
  detector.network().eval();
  write_model_files(folder.path(), weights::state_dict(detector.network()), half_fpn(), {"a", "b"});
  std::ofstream(folder.path() / "model.json")
      << R"({"task":"detection","model":"fasterrcnn-resnet18-half-fpn"})";
  const LoadedDetector loaded = load_detector(folder.path());
  CHECK(loaded.kind->preprocessing == half_fpn().preprocessing);
  DetectionLimits limits = half_fpn().limits;
  limits.score = 0;
  const DetectorInput input{torch::randn({2, 3, 90, 90}), {{90, 60}, {50, 90}}};
  const auto found = loaded.model->answer(input, limits, {}, nullptr, {}).found,
             expected = detector.answer(input, limits, {}, nullptr, {}).found;
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(!expected[i].empty());
    REQUIRE(found[i].size() == expected[i].size());
    CHECK(found[i].front().score == expected[i].front().score);
    CHECK(found[i].front().box.x2 == expected[i].front().box.x2);
  }
}

TEST_CASE("Images of other shapes than squares keep them, and so do their objects when they are varied") {
  const tests::TestFolder folder;
  folder.write_image("data/a.png", 60, 30);
  folder.write_image("data/b.png", 24, 48);
  Dataset dataset;
  dataset.classes = {"pit"};
  dataset.examples = {
      {1, folder.path() / "data/a.png", "a.png", 60, 30, {{6, 3, 54, 27, 1, 0, false, false}}},
      {2, folder.path() / "data/b.png", "b.png", 24, 48, {{2, 4, 20, 40, 1, 0, false, false}}}};
  data::Preprocessing preprocessing{64};
  preprocessing.longest = 100;
  data::Augmentation flipped;
  flipped.horizontal_flip = 1;
  for (const bool accelerated : {false, true}) {
    loop::Compute compute;
    compute.accelerated = accelerated;
    const ImageSet plain(dataset, preprocessing, {}, 1, compute, 1),
        varied(dataset, preprocessing, flipped, 1, compute, 1);
    weights::TensorMap tensors, mirrored;
    const auto objects = plain.add_pictures({0, 1}, 1, tensors),
               others = varied.add_pictures({0, 1}, 1, mirrored);
    const std::vector<images::Size> shown = ImageSet::shown(tensors);
    REQUIRE(shown.size() == 2);
    CHECK((shown[0].width == 60 && shown[0].height == 30 && shown[1].width == 24 && shown[1].height == 48));
    const torch::Tensor pixels = plain.pixels(tensors);
    CHECK(pixels.sizes() == at::IntArrayRef({2, 60, 60, 3}));
    CHECK(objects[0][0].x2 == 54);
    CHECK(others[0][0].x1 == 6);
    CHECK(others[1][0].x1 == 4);
    CHECK(others[1][0].x2 == 22);
    const torch::Tensor seen = pixels[1].narrow(0, 0, 48).narrow(1, 0, 24),
                        turned = varied.pixels(mirrored)[1].narrow(0, 0, 48).narrow(1, 0, 24);
    CHECK(turned.equal(seen.flip({1})));
  }
}

TEST_CASE("Images larger than a detector looks at are kept at the size that it looks at") {
  const data::Preprocessing& small = half_fpn().preprocessing;
  CHECK(data::kept_size({640, 480}, small).height == 128);
  CHECK(data::kept_size({640, 480}, small).width == 170);
  CHECK(data::kept_size({100, 80}, small).width == 100);
  CHECK(data::kept_size({1000, 100}, small).width == 213);
}
