#include "trainer/tasks/detection/target_maker.h"

#include <algorithm>

#include "trainer/tasks/detection/batched_boxes.h"
#include "trainer/tasks/detection/batched_matching.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

constexpr std::int64_t kMostOnDevice = 64;  // as many rounds, in each of which the device hardly has work

Box as_fractions(const GroundTruth& object, int size) {
  const auto side = static_cast<float>(size);
  return {object.x1 / side, object.y1 / side, object.x2 / side, object.y2 / side};
}

}  // namespace

Targets make_targets(const std::vector<std::vector<GroundTruth>>& objects, int size,
                     const std::vector<Box>& boxes, Matching matching) {
  const auto images = static_cast<std::int64_t>(objects.size()),
             count = static_cast<std::int64_t>(boxes.size());
  Targets targets;
  targets.categories = torch::zeros({images, count}, torch::kLong);
  targets.offsets = torch::zeros({images, count, 4});
  auto* category = targets.categories.data_ptr<std::int64_t>();
  auto* offset = targets.offsets.data_ptr<float>();
  for (const std::vector<GroundTruth>& in_image : objects) {
    std::vector<Box> learned;
    std::vector<int> categories;
    for (const GroundTruth& object : in_image) {
      if (object.crowd) continue;
      learned.push_back(as_fractions(object, size));
      categories.push_back(object.category);
    }
    const std::vector<int> matched = match(learned, boxes, matching);
    for (std::size_t i = 0; i < boxes.size(); ++i, ++category, offset += 4) {
      if (matched[i] < 0) continue;
      const auto object = static_cast<std::size_t>(matched[i]);
      *category = categories[object];
      const BoxOffsets encoded = encode_box(learned[object], boxes[i]);
      std::copy(encoded.begin(), encoded.end(), offset);
    }
  }
  return targets;
}

TargetMaker::TargetMaker(const DetectorModel& kind, std::size_t most_objects, const loop::Compute& compute)
    : size_(kind.preprocessing.size),
      matching_(kind.rules.matching),
      boxes_(default_boxes(kind.maps)),
      most_objects_(std::max<std::int64_t>(1, static_cast<std::int64_t>(most_objects))),
      on_device_(compute.accelerated && most_objects_ <= kMostOnDevice),
      may_ask_(!compute.accelerated) {
  if (!on_device_) return;
  device_boxes_ = boxes_tensor(boxes_).to(compute.device);
}

void TargetMaker::add(const std::vector<std::vector<GroundTruth>>& objects,
                      weights::TensorMap& tensors) const {
  if (!on_device_) {
    const Targets targets = make_targets(objects, size_, boxes_, matching_);
    tensors["categories"] = targets.categories;
    tensors["offsets"] = targets.offsets;
    return;
  }
  const auto images = static_cast<std::int64_t>(objects.size());
  const auto rows = static_cast<std::size_t>(most_objects_);
  std::vector<Box> all(objects.size() * rows);
  torch::Tensor categories = torch::zeros({images, most_objects_}, torch::kLong);
  auto* category = categories.data_ptr<std::int64_t>();
  for (std::size_t image = 0; image < objects.size(); ++image) {
    std::size_t row = image * rows;
    for (const GroundTruth& object : objects[image]) {
      if (object.crowd) continue;
      TUNE_CHECK(row < (image + 1) * rows);
      category[row] = object.category;
      all[row++] = as_fractions(object, size_);
    }
  }
  tensors["objects"] = boxes_tensor(all).view({images, most_objects_, 4});
  tensors["categories"] = categories;
}

Targets TargetMaker::targets(const weights::TensorMap& tensors) const {
  if (on_device_)
    return match_batch(tensors.at("objects"), tensors.at("categories"), device_boxes_, matching_);
  Targets targets;
  targets.categories = tensors.at("categories");
  targets.offsets = tensors.at("offsets");
  if (may_ask_ && targets.categories.numel() > 0)
    targets.most_in_an_image = (targets.categories > 0).sum(-1).max().item<std::int64_t>();
  return targets;
}

}  // namespace tune::trainer::detection
