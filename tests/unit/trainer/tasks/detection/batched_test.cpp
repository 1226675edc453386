// What an accelerator does for a whole batch is what the CPU does image by image.
#include <algorithm>

#include "torch_catch.h"
#include "trainer/data/device_images.h"
#include "trainer/tasks/detection/batched_boxes.h"
#include "trainer/tasks/detection/batched_detections.h"
#include "trainer/tasks/detection/image_set.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/target_maker.h"
#include "tuner/core/rng.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tune::Rng;
using tune::trainer::tests::TestFolder;

namespace {

constexpr int kSize = 128;

loop::Compute accelerator() {
  loop::Compute compute;
  compute.accelerated = true;
  return compute;
}

// Objects of all sizes: some overlap no default box by half, some several, and the last is another's twin.
std::vector<GroundTruth> drawn_objects(Rng& rng, std::size_t count) {
  std::vector<GroundTruth> objects;
  for (std::size_t i = 0; i < count; ++i) {
    const double width = 2 + rng.uniform() * 80, height = 2 + rng.uniform() * 80;
    const double x = rng.uniform() * (kSize - width), y = rng.uniform() * (kSize - height);
    objects.push_back({static_cast<float>(x), static_cast<float>(y), static_cast<float>(x + width),
                       static_cast<float>(y + height), 1 + static_cast<int>(rng.below(3)), width * height,
                       rng.uniform() < 0.1, false});
  }
  if (count > 1) {
    GroundTruth twin = objects.front();
    twin.category = 2;
    objects.back() = twin;
  }
  return objects;
}

}  // namespace

TEST_CASE("Views sampled on a device have the bytes of those sampled one by one") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  folder.write_image("b.png", 64, 64);
  images::Image grey{50, 20, 1, std::vector<std::uint8_t>(1000)};
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) grey.pixels[i] = static_cast<std::uint8_t>(i * 7);
  images::write_png(folder.path() / "grey.png", grey);
  for (const std::vector<std::string>& names : {std::vector<std::string>{"a.png", "b.png", "grey.png"},
                                                std::vector<std::string>{"grey.png", "grey.png"}}) {
    std::vector<std::filesystem::path> files;
    for (const std::string& name : names) files.push_back(folder.path() / name);
    const data::ImageCache cache(files, /*size=*/33, /*threads=*/1);
    const auto on_device = data::DeviceImages::of(cache, torch::kCPU);
    REQUIRE(on_device != nullptr);
    Rng rng(4, 1);
    std::vector<std::int64_t> indices;
    std::vector<data::Sampling> samplings;
    std::vector<torch::Tensor> expected;
    for (int i = 0; i < 40; ++i) {
      const std::size_t index = rng.below(files.size());
      const data::View view = data::draw_view(data::Augmentation::for_training(), {33, 33}, rng);
      indices.push_back(static_cast<std::int64_t>(index));
      samplings.push_back(data::sampling_of(view, {33, 33}, 33, cache.mean(index)));
      torch::Tensor pixels = torch::empty({33, 33, 3}, torch::kByte);
      data::view_pixels(view, cache.pixels(index), cache.channels(index), {33, 33}, 33, cache.mean(index),
                        pixels.data_ptr<std::uint8_t>());
      expected.push_back(pixels);
    }
    CHECK(on_device->pixels(data::DeviceImages::views(indices, samplings)).equal(torch::stack(expected)));
  }
}

TEST_CASE("A device's targets are those of the CPU, whatever the matching") {
  for (const char* name : {"ssd128-resnet18-half", "ssd300-vgg16"}) {
    DetectorModel kind = detector_model(name);
    for (const Matching matching : {Matching::kBipartite, Matching::kForced}) {
      kind.rules.matching = matching;
      Rng rng(9, 1);
      std::vector<std::vector<GroundTruth>> objects;
      for (const std::size_t count : {0, 1, 3, 12}) objects.push_back(drawn_objects(rng, count));
      const TargetMaker on_device(kind, /*most_objects=*/12, accelerator()), on_cpu(kind, 12, {});
      weights::TensorMap sent, made;
      on_device.add(objects, sent);
      on_cpu.add(objects, made);
      REQUIRE(sent.contains("objects"));
      const Targets ours = on_device.targets(sent), expected = on_cpu.targets(made);
      INFO(name << ", matching " << static_cast<int>(matching));
      CHECK(ours.categories.equal(expected.categories));
      CHECK(torch::allclose(ours.offsets, expected.offsets, 1e-5, 1e-5));
      CHECK((expected.categories > 0).sum().item<int>() > 12);
      CHECK_FALSE(ours.most_in_an_image);
    }
  }
}

TEST_CASE("Very many objects are matched on the CPU also for an accelerator") {
  Rng rng(2, 1);
  const DetectorModel& kind = detector_model("ssd128-resnet18-half");
  const TargetMaker maker(kind, /*most_objects=*/100, accelerator());
  weights::TensorMap tensors;
  maker.add({drawn_objects(rng, 100)}, tensors);
  CHECK_FALSE(tensors.contains("objects"));
  CHECK(maker.targets(tensors).offsets.size(1) == static_cast<std::int64_t>(default_boxes(kind.maps).size()));
}

TEST_CASE("A device's detections are those of the CPU") {
  const DetectorModel& kind = detector_model("ssd128-resnet18-half");
  const std::vector<Box> boxes = default_boxes(kind.maps);
  const auto count = static_cast<std::int64_t>(boxes.size());
  torch::manual_seed(3);
  const torch::Tensor probabilities = torch::softmax(2 * torch::randn({3, count, 4}), -1);
  const torch::Tensor offsets = torch::randn({3, count, 4});
  DetectionLimits limits, few, published;
  few.per_class = 20, few.in_total = 30, few.per_image = 9;
  published.one_class_per_box = true, published.score = 0.05F;
  DetectionLimits none;
  none.score = 1.1F;
  for (const DetectionLimits& one : {limits, few, published, none}) {
    const auto found = detect_batch(probabilities, offsets, boxes_tensor(boxes), one);
    REQUIRE(found.size() == 3);
    for (std::int64_t image = 0; image < 3; ++image) {
      const auto expected =
          detect(probabilities[image].data_ptr<float>(), offsets[image].data_ptr<float>(), boxes, 3, one);
      const auto& ours = found[static_cast<std::size_t>(image)];
      REQUIRE(ours.size() == expected.size());
      for (std::size_t i = 0; i < ours.size(); ++i) {
        CHECK(ours[i].score == expected[i].score);
        CHECK(ours[i].category == expected[i].category);
        CHECK(ours[i].box.x1 == Approx(expected[i].box.x1).margin(1e-6));
        CHECK(ours[i].box.y2 == Approx(expected[i].box.y2).margin(1e-6));
      }
    }
  }
}

TEST_CASE("Suppression on a device follows chains: a box that is suppressed suppresses none") {
  // Each overlaps the next by more than the limit, and no other.
  std::vector<Box> boxes;
  for (int i = 0; i < 9; ++i)
    boxes.push_back({0.1F * static_cast<float>(i), 0, 0.1F * static_cast<float>(i) + 0.2F, 0.5F});
  torch::Tensor probabilities = torch::zeros({1, 9, 2});
  for (int i = 0; i < 9; ++i) probabilities[0][i][1] = 0.9 - 0.05 * i;
  DetectionLimits limits;
  limits.overlap = 0.3F;
  const auto found = detect_batch(probabilities, torch::zeros({1, 9, 4}), boxes_tensor(boxes), limits);
  std::vector<float> scores;
  for (const ScoredBox& box : found.at(0)) scores.push_back(box.score);
  CHECK(scores == std::vector<float>{0.9F, 0.8F, 0.7F, 0.6F, 0.5F});
}
