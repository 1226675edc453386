#include "trainer/tasks/detection/inference.h"

#include <numeric>

#include "trainer/nn/normaliser.h"

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

std::optional<Inference> infer(SsdModel& model, const ImageSet& images, const DetectorModel& kind,
                               const torch::Device& device, std::int64_t batch_size,
                               const std::function<bool()>& interrupted, const DetectionLimits& limits) {
  const std::vector<Box> boxes = default_boxes(kind.maps);
  const nn::Normaliser normalise(kind.preprocessing.mean, kind.preprocessing.std, device);
  const int classes = static_cast<int>(images.dataset().classes.size());
  Inference result;
  double positives = 0;
  for (std::int64_t first = 0; first < images.count(); first += batch_size) {
    if (interrupted()) return std::nullopt;
    std::vector<std::int64_t> examples(
        static_cast<std::size_t>(std::min(batch_size, images.count() - first)));
    std::iota(examples.begin(), examples.end(), first);
    const ImageSet::Pictures pictures = images.pictures(examples, /*epoch=*/0);
    const SsdOutput output = model(normalise(pictures.pixels));

    if (images.dataset().labelled) {
      Targets targets = make_targets(pictures.objects, kind.preprocessing.size, boxes, kind.rules.matching);
      targets.categories = targets.categories.to(device);
      targets.offsets = targets.offsets.to(device);
      const SsdLoss loss = ssd_loss(output.logits, output.offsets, targets, kind.rules.divisor);
      const double weight = static_cast<double>(targets.positives);
      result.cross_entropy += loss.cross_entropy.item<double>() * weight;
      result.smooth_l1 += loss.smooth_l1.item<double>() * weight;
      positives += weight;
    }
    const torch::Tensor scores = torch::softmax(output.logits.to(torch::kFloat), -1).cpu().contiguous();
    const torch::Tensor offsets = output.offsets.to(torch::kFloat).cpu().contiguous();
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      append(result.detections,
             detect(scores[row].data_ptr<float>(), offsets[row].data_ptr<float>(), boxes, classes, limits),
             images.dataset().examples[static_cast<std::size_t>(examples[i])]);
    }
  }
  if (positives > 0) {
    result.cross_entropy /= positives;
    result.smooth_l1 /= positives;
  }
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
