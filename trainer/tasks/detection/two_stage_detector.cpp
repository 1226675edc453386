#include "trainer/tasks/detection/two_stage_detector.h"

#include <algorithm>

#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

std::vector<images::Size> shown_sizes(const DetectorInput& input) {
  if (!input.shown.empty()) return input.shown;
  const int side = static_cast<int>(input.images.size(2));
  return std::vector<images::Size>(static_cast<std::size_t>(input.images.size(0)), {side, side});
}

// Objects of the images as they came, on the images as they were resized.
ObjectBatch resized_objects(const weights::TensorMap& tensors, const std::vector<images::Size>& from,
                            const std::vector<images::Size>& to) {
  std::vector<float> factors;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const float across = static_cast<float>(to[i].width) / static_cast<float>(from[i].width),
                down = static_cast<float>(to[i].height) / static_cast<float>(from[i].height);
    factors.insert(factors.end(), {across, down, across, down});
  }
  const torch::Tensor& boxes = tensors.at("objects");
  return {boxes * torch::tensor(factors).view({-1, 1, 4}).to(boxes.device()), tensors.at("categories")};
}

}  // namespace

ObjectRows::ObjectRows(std::size_t most_objects)
    : rows_(std::max<std::int64_t>(1, static_cast<std::int64_t>(most_objects))) {}

void ObjectRows::add(const std::vector<std::vector<GroundTruth>>& objects,
                     weights::TensorMap& tensors) const {
  const auto images = static_cast<std::int64_t>(objects.size());
  torch::Tensor boxes = torch::zeros({images, rows_, 4}),
                categories = torch::zeros({images, rows_}, torch::kLong);
  for (std::int64_t image = 0; image < images; ++image) {
    float* corner = boxes[image].data_ptr<float>();
    auto* category = categories[image].data_ptr<std::int64_t>();
    std::int64_t row = 0;
    for (const GroundTruth& object : objects[static_cast<std::size_t>(image)]) {
      if (object.crowd) continue;
      TUNE_CHECK(row < rows_);
      ++row;
      *category++ = object.category;
      for (const float value : {object.x1, object.y1, object.x2, object.y2}) *corner++ = value;
    }
  }
  tensors["objects"] = boxes;
  tensors["categories"] = categories;
}

TwoStageDetector::TwoStageDetector(const DetectorModel& kind, int classes)
    : TwoStageDetector(TwoStageModel(std::get<TwoStageNetwork>(kind.network), classes), kind) {}

TwoStageDetector::TwoStageDetector(TwoStageModel model, const DetectorModel& kind)
    : Detector(model.ptr()),
      preprocessing_(kind.preprocessing),
      proposals_(std::get<TwoStageNetwork>(kind.network).proposals),
      head_(std::get<TwoStageNetwork>(kind.network).head),
      model_(std::move(model)) {}

std::unique_ptr<ObjectTensors> TwoStageDetector::object_tensors(std::size_t most_objects,
                                                                const loop::Compute&) const {
  return std::make_unique<ObjectRows>(most_objects);
}

TwoStageDetector::Seen TwoStageDetector::see(const DetectorInput& input,
                                             const ProposalRules::Counts& counts) {
  Seen seen;
  seen.images = resize_images(input.images, shown_sizes(input), preprocessing_);
  const torch::Tensor& pixels = seen.images.pixels;
  seen.maps = model_->maps(pixels);
  seen.scores = model_->anchor_scores(seen.maps);
  seen.anchors = anchor_boxes(seen.maps, pixels.size(2), pixels.size(3), proposals_);
  seen.regions = propose_regions(seen.scores, seen.anchors, seen.images.sizes, counts, proposals_.overlap);
  return seen;
}

DetectorLosses TwoStageDetector::losses_of(const Seen& seen, const DetectorInput& input,
                                           const weights::TensorMap& tensors, Draw draw,
                                           const parallel::Team& team) {
  const ObjectBatch objects = resized_objects(tensors, shown_sizes(input), seen.images.sizes);
  const StageLosses first = proposal_losses(seen.scores, seen.anchors, objects, proposals_, draw, team);
  const RegionSample sample = sample_of_regions(seen.regions, objects, head_, draw);
  const StageLosses second =
      region_losses(model_->region_scores(seen.maps, sample.boxes, sample.images, seen.images.pixels.size(2)),
                    sample, input.images.size(0), team);
  return {first.classes + second.classes, first.boxes + second.boxes};
}

DetectorLosses TwoStageDetector::losses(const DetectorInput& input, const weights::TensorMap& tensors,
                                        const ObjectTensors&, const parallel::Team& team) {
  return losses_of(see(input, proposals_.training), input, tensors, Draw::kRandom, team);
}

Detector::Answer TwoStageDetector::answer(const DetectorInput& input, const DetectionLimits& limits,
                                          const loop::Compute&, const ObjectTensors* objects,
                                          const weights::TensorMap& tensors) {
  const Seen seen = see(input, proposals_.inference);
  Answer answer;
  if (objects != nullptr) {
    answer.losses = losses_of(seen, input, tensors, Draw::kSame, *parallel::alone());
    answer.weight = static_cast<double>(input.images.size(0));
  }
  answer.found = detections_in(seen, limits);
  return answer;
}

std::vector<std::vector<ScoredBox>> TwoStageDetector::detections_in(const Seen& seen,
                                                                    const DetectionLimits& limits) {
  const torch::Tensor places = seen.regions.counts.nonzero();  // [R, 2], image by image
  const torch::Tensor boxes = seen.regions.boxes.index({places.select(1, 0), places.select(1, 1)});
  const RegionScores scores =
      model_->region_scores(seen.maps, boxes, places.select(1, 0).contiguous(), seen.images.pixels.size(2));
  const torch::Tensor probabilities = torch::softmax(scores.logits, 1).cpu().contiguous(),
                      offsets = scores.offsets.cpu().contiguous(), regions = boxes.cpu().contiguous(),
                      counts = seen.regions.counts.sum(1).cpu();
  std::vector<std::vector<ScoredBox>> found;
  std::int64_t first = 0;
  for (std::size_t image = 0; image < seen.images.sizes.size(); ++image) {
    const auto count = counts[static_cast<std::int64_t>(image)].item<std::int64_t>();
    found.push_back(detections_in_regions(probabilities.narrow(0, first, count),
                                          offsets.narrow(0, first, count), regions.narrow(0, first, count),
                                          seen.images.sizes[image], limits));
    first += count;
  }
  return found;
}

}  // namespace tune::trainer::detection
