#include "trainer/tasks/detection/region_head.h"

#include <algorithm>

#include "trainer/tasks/detection/batched_boxes.h"
#include "trainer/tasks/detection/matching.h"
#include "trainer/tasks/detection/shared_counts.h"

namespace tune::trainer::detection {
namespace {

constexpr double kLinearFrom = 1.0 / 9;   // smooth L1's turn
constexpr float kLeastDetection = 1e-2F;  // a side, in pixels of the resized image

// Registers a layer below `parent` by a name with points.
torch::nn::Linear layer_below(torch::nn::Module& parent, const std::string& name, std::int64_t in,
                              std::int64_t out) {
  const std::size_t point = name.find('.');
  if (point == std::string::npos) return parent.register_module(name, torch::nn::Linear(in, out));
  const std::string own = name.substr(0, point);
  for (const auto& child : parent.named_children())
    if (child.key() == own) return layer_below(*child.value(), name.substr(point + 1), in, out);
  auto child = parent.register_module(own, std::make_shared<torch::nn::Module>(own));
  return layer_below(*child, name.substr(point + 1), in, out);
}

Box within(const Box& box, images::Size size) {
  const auto width = static_cast<float>(size.width), height = static_cast<float>(size.height);
  return {std::clamp(box.x1, 0.0F, width), std::clamp(box.y1, 0.0F, height), std::clamp(box.x2, 0.0F, width),
          std::clamp(box.y2, 0.0F, height)};
}

}  // namespace

RegionHeadImpl::RegionHeadImpl(std::int64_t inputs, std::int64_t width, int classes,
                               const RegionHeadNames& names)
    : columns_(classes + 1) {
  auto box_head = register_module("box_head", std::make_shared<torch::nn::Module>("box_head"));
  first_ = layer_below(*box_head, names.first, inputs, width);
  second_ = layer_below(*box_head, names.second, width, width);
  auto box_predictor = register_module("box_predictor", std::make_shared<torch::nn::Module>("box_predictor"));
  cls_score = box_predictor->register_module("cls_score", torch::nn::Linear(width, columns_));
  bbox_pred = box_predictor->register_module("bbox_pred", torch::nn::Linear(width, 4 * columns_));
}

RegionScores RegionHeadImpl::forward(const torch::Tensor& features) {
  const torch::Tensor seen = second_(first_(features.flatten(1)).relu_()).relu_();
  return {cls_score(seen).to(torch::kFloat), bbox_pred(seen).to(torch::kFloat).view({-1, columns_, 4})};
}

RegionSample sample_of_regions(const Regions& regions, const ObjectBatch& objects,
                               const RegionHeadRules& rules, Draw draw) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> all_boxes, all_images, all_categories, all_offsets;
  for (std::int64_t image = 0; image < regions.boxes.size(0); ++image) {
    const torch::Tensor own = objects.boxes[image], categories = objects.categories[image];
    const torch::Tensor is_object = categories > 0;
    const torch::Tensor boxes = torch::cat({regions.boxes[image], own});
    const torch::Tensor counts = torch::cat({regions.counts[image], is_object});
    const MatchedRegions matched = match_regions(boxes, own, is_object, rules.matching);
    const SampledRegions chosen =
        sample_regions(matched.labels.masked_fill(counts.logical_not(), -1),
                       sampling_keys(boxes.size(0), draw, boxes.device()), rules.sampling);
    const torch::Tensor places = chosen.places.masked_select(chosen.counts);
    const torch::Tensor object = matched.objects.index_select(0, places),
                        is_background = matched.labels.index_select(0, places) < 1;
    all_boxes.push_back(boxes.index_select(0, places));
    all_images.push_back(torch::full_like(places, image));
    all_categories.push_back(categories.index_select(0, object).masked_fill(is_background, 0));
    all_offsets.push_back(encode_boxes(own.index_select(0, object), all_boxes.back()));
  }
  return {torch::cat(all_boxes), torch::cat(all_images), torch::cat(all_categories), torch::cat(all_offsets)};
}

StageLosses region_losses(const RegionScores& scores, const RegionSample& sample, std::int64_t images,
                          const parallel::Team& team) {
  const std::vector<torch::Tensor> counts =
      shared_counts({torch::full({}, sample.categories.size(0), sample.categories.options())}, images, team);
  const torch::Tensor regions = counts[0].clamp_min(1);
  const torch::Tensor places = (sample.categories > 0).nonzero().squeeze(1);
  const torch::Tensor found = scores.offsets.index({places, sample.categories.index_select(0, places)});
  return {
      torch::cross_entropy_loss(scores.logits, sample.categories, {}, at::Reduction::Sum) / regions *
          counts[1],
      torch::smooth_l1_loss(found, sample.offsets.index_select(0, places), at::Reduction::Sum, kLinearFrom) /
          regions * counts[1]};
}

std::vector<ScoredBox> detections_in_regions(const torch::Tensor& probabilities, const torch::Tensor& offsets,
                                             const torch::Tensor& regions, images::Size size,
                                             const DetectionLimits& limits) {
  const auto columns = static_cast<std::size_t>(probabilities.size(1));
  const auto count = static_cast<std::size_t>(probabilities.size(0));
  const float *scores = probabilities.const_data_ptr<float>(), *offset = offsets.const_data_ptr<float>(),
              *corner = regions.const_data_ptr<float>();
  const auto by_score = [](const ScoredBox& a, const ScoredBox& b) { return a.score > b.score; };
  std::vector<ScoredBox> found;
  for (std::size_t category = 1; category < columns; ++category) {
    std::vector<ScoredBox> of_class;
    for (std::size_t i = 0; i < count; ++i) {
      const float score = scores[i * columns + category];
      if (!(score > limits.score)) continue;
      const float* moved = offset + (i * columns + category) * 4;
      const Box region{corner[4 * i], corner[4 * i + 1], corner[4 * i + 2], corner[4 * i + 3]};
      const Box box =
          within(decode_box({moved[0], moved[1], moved[2], moved[3]}, region, limits.largest_log_size), size);
      if (box.width() >= kLeastDetection && box.height() >= kLeastDetection)
        of_class.push_back({box, static_cast<int>(category), score});
    }
    std::stable_sort(of_class.begin(), of_class.end(), by_score);
    if (of_class.size() > limits.per_class) of_class.resize(limits.per_class);
    for (const std::size_t index : suppress(of_class, limits.overlap)) found.push_back(of_class[index]);
  }
  std::stable_sort(found.begin(), found.end(), by_score);
  if (found.size() > limits.per_image) found.resize(limits.per_image);
  const auto width = static_cast<float>(size.width), height = static_cast<float>(size.height);
  for (ScoredBox& one : found)
    one.box = {one.box.x1 / width, one.box.y1 / height, one.box.x2 / width, one.box.y2 / height};
  return found;
}

}  // namespace tune::trainer::detection
