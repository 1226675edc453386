#include "trainer/tasks/detection/inference.h"

#include <algorithm>
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

std::int64_t inference_batch(const DetectorModel& kind, const loop::Compute& compute) {
  // A detector of two stages keeps the features of hundreds of regions of each image. On a CPU few images at
  // a time are as quick as many.
  constexpr std::int64_t kMany = 32, kFew = 8, kMostPixels = 224 * 224 * kMany;
  if (!is_two_stage(kind)) return kMany;
  if (compute.accelerated) return kFew;
  const std::int64_t size = kind.preprocessing.size;
  return std::clamp<std::int64_t>(kMostPixels / (size * size), 1, kMany);
}

std::optional<Inference> infer(Detector& detector, const ImageSet& images, const DetectorModel& kind,
                               const loop::Compute& compute, const InferenceOptions& options) {
  const nn::Normaliser normalise(kind.preprocessing.mean, kind.preprocessing.std, compute.device);
  const std::unique_ptr<ObjectTensors> wanted =
      options.losses && images.dataset().labelled
          ? detector.object_tensors(most_objects(images.dataset()), compute)
          : nullptr;
  Inference result;
  double weight = 0;
  const auto [begin, end] =
      options.team->share((images.count() + options.batch_size - 1) / options.batch_size);
  bool stops = false;
  for (std::int64_t batch = begin; batch < end; ++batch) {
    stops = options.interrupted();
    if (stops) break;
    const std::int64_t first = batch * options.batch_size;
    std::vector<std::int64_t> examples(
        static_cast<std::size_t>(std::min(options.batch_size, images.count() - first)));
    std::iota(examples.begin(), examples.end(), first);
    weights::TensorMap tensors;
    const auto objects = images.add_pictures(examples, /*epoch=*/0, tensors);
    if (wanted) wanted->add(objects, tensors);
    const std::vector<images::Size> shown = ImageSet::shown(tensors);
    for (auto& [name, tensor] : tensors) tensor = tensor.to(compute.device);
    const Detector::Answer answer = detector.answer({normalise(images.pixels(tensors)), shown},
                                                    options.limits, compute, wanted.get(), tensors);
    if (answer.losses) {
      result.cross_entropy += answer.losses->cross_entropy.item<double>() * answer.weight;
      result.smooth_l1 += answer.losses->smooth_l1.item<double>() * answer.weight;
      weight += answer.weight;
    }
    for (std::size_t i = 0; i < examples.size(); ++i)
      append(result.detections, answer.found[i],
             images.dataset().examples[static_cast<std::size_t>(examples[i])]);
  }
  if (options.team->any(stops)) return std::nullopt;
  result.detections = options.team->gathered(result.detections);
  const std::vector<double> sums = options.team->sums({result.cross_entropy, result.smooth_l1, weight});
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
