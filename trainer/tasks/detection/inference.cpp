#include "trainer/tasks/detection/inference.h"

#include <numeric>

#include "trainer/nn/normaliser.h"
#include "trainer/tasks/detection/batched_boxes.h"
#include "trainer/tasks/detection/batched_detections.h"
#include "trainer/tasks/detection/target_maker.h"

namespace tune::trainer::detection {
namespace {

void append(std::vector<metrics::DetectedBox>& all, const std::vector<ScoredBox>& found,
            const Example& example) {
  const double width = example.width, height = example.height;
  for (const ScoredBox& scored : found) {
    const double x = scored.box.x1 * width, y = scored.box.y1 * height;
    all.push_back({example.image_id,
                   scored.category - 1,
                   {x, y, scored.box.x2 * width - x, scored.box.y2 * height - y},
                   scored.score});
  }
}

}  // namespace

std::vector<std::vector<ScoredBox>> detections_of(const SsdOutput& output, const std::vector<Box>& boxes,
                                                  const torch::Tensor& corners, int classes,
                                                  const loop::Compute& compute,
                                                  const DetectionLimits& limits) {
  const torch::Tensor scores = torch::softmax(output.logits.to(torch::kFloat), -1),
                      offsets = output.offsets.to(torch::kFloat);
  if (compute.accelerated) return detect_batch(scores, offsets, corners, limits);
  const torch::Tensor plain_scores = scores.cpu().contiguous(), plain_offsets = offsets.cpu().contiguous();
  std::vector<std::vector<ScoredBox>> found;
  for (std::int64_t image = 0; image < scores.size(0); ++image)
    found.push_back(detect(plain_scores[image].data_ptr<float>(), plain_offsets[image].data_ptr<float>(),
                           boxes, classes, limits));
  return found;
}

std::optional<Inference> infer(SsdModel& model, const ImageSet& images, const DetectorModel& kind,
                               const loop::Compute& compute, std::int64_t batch_size,
                               const std::function<bool()>& interrupted, const DetectionLimits& limits,
                               const parallel::Team& team) {
  const std::vector<Box> boxes = default_boxes(kind.maps);
  const nn::Normaliser normalise(kind.preprocessing.mean, kind.preprocessing.std, compute.device);
  const TargetMaker target_maker(kind, images.dataset(), compute);
  const torch::Tensor corners = boxes_tensor(boxes).to(compute.device);
  const int classes = static_cast<int>(images.dataset().classes.size());
  Inference result;
  double positives = 0;
  const auto [begin, end] = team.share((images.count() + batch_size - 1) / batch_size);
  bool stops = false;
  for (std::int64_t batch = begin; batch < end; ++batch) {
    stops = interrupted();
    if (stops) break;
    const std::int64_t first = batch * batch_size;
    std::vector<std::int64_t> examples(
        static_cast<std::size_t>(std::min(batch_size, images.count() - first)));
    std::iota(examples.begin(), examples.end(), first);
    weights::TensorMap tensors;
    const auto objects = images.add_pictures(examples, /*epoch=*/0, tensors);
    if (images.dataset().labelled) target_maker.add(objects, tensors);
    for (auto& [name, tensor] : tensors) tensor = tensor.to(compute.device);
    const SsdOutput output = model(normalise(images.pixels(tensors)));

    if (images.dataset().labelled) {
      const Targets targets = target_maker.targets(tensors);
      const SsdLoss loss = ssd_loss(output.logits, output.offsets, targets, kind.rules.divisor);
      const double weight = (targets.categories > 0).sum().item<double>();
      result.cross_entropy += loss.cross_entropy.item<double>() * weight;
      result.smooth_l1 += loss.smooth_l1.item<double>() * weight;
      positives += weight;
    }
    const auto found = detections_of(output, boxes, corners, classes, compute, limits);
    for (std::size_t i = 0; i < examples.size(); ++i)
      append(result.detections, found[i], images.dataset().examples[static_cast<std::size_t>(examples[i])]);
  }
  if (team.any(stops)) return std::nullopt;
  result.detections = team.gathered(result.detections);
  const std::vector<double> sums = team.sums({result.cross_entropy, result.smooth_l1, positives});
  const double divisor = sums[2] > 0 ? sums[2] : 1;
  result.cross_entropy = sums[0] / divisor;
  result.smooth_l1 = sums[1] / divisor;
  return result;
}

Quality judge(const Dataset& truth, const std::vector<metrics::DetectedBox>& detections) {
  std::vector<metrics::TruthBox> boxes;
  for (const Example& example : truth.examples)
    for (const GroundTruth& object : example.objects)
      boxes.push_back({example.image_id,
                       object.category - 1,
                       {object.x1, object.y1, static_cast<double>(object.x2) - object.x1,
                        static_cast<double>(object.y2) - object.y1},
                       object.area,
                       object.crowd,
                       object.difficult});
  const int classes = static_cast<int>(truth.classes.size());
  return {metrics::coco_map(boxes, detections, classes), metrics::confusion_of(boxes, detections, classes),
          metrics::count_objects(boxes, classes)};
}

}  // namespace tune::trainer::detection
