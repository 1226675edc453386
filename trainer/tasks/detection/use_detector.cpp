#include "trainer/tasks/detection/use_detector.h"

#include <sched.h>

#include <chrono>
#include <ostream>

#include "trainer/loop/device.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/inference.h"
#include "trainer/tasks/detection/model_folder.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

constexpr std::int64_t kBatch = 32;

struct Run {
  Inference inference;
  double images_per_second = 0;
};

Run run_detector(LoadedDetector& detector, const Dataset& dataset, int threads,
                 const DetectionLimits& limits) {
  const loop::Compute compute = loop::set_up_compute(threads, /*wants_gpu=*/false);
  const ImageSet images(dataset, detector.kind->preprocessing.size, Augmentation{}, /*seed=*/0, threads,
                        threads);
  const torch::NoGradGuard no_grad;
  const auto begin = std::chrono::steady_clock::now();
  auto inference = infer(
      detector.model, images, *detector.kind, compute.device, kBatch, [] { return false; }, limits);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  return {std::move(*inference), static_cast<double>(images.count()) / elapsed.count()};
}

Dataset read_for(const LoadedDetector& detector, const DataChoice& data, Labels labels, int threads,
                 std::ostream& notes) {
  Dataset dataset = read_part(data.data, {labels, detector.classes, nullptr}, data.part, threads, notes,
                              loop::stop_requested);
  for (const std::string& warning : dataset.warnings) notes << "warning: " << warning << '\n';
  notes << std::flush;
  return dataset;
}

}  // namespace

int threads_to_use(int asked) {
  if (asked < 0) throw Error(ExitCode::kUsage, "--threads is negative");
  if (asked > 0) return asked;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof cores, &cores) == 0 ? std::max(1, CPU_COUNT(&cores)) : 1;
}

Evaluation evaluate_model(const std::filesystem::path& model, const DataChoice& data, int threads,
                          std::ostream& notes) {
  LoadedDetector detector = load_detector(model);
  const Dataset dataset = read_for(detector, data, Labels::kRequired, threads, notes);
  const Run run = run_detector(detector, dataset, threads, detector.kind->limits);
  return {score(dataset, run.inference.detections), detector.classes, dataset.examples.size(),
          run.images_per_second};
}

Prediction predict_with_model(const std::filesystem::path& model, const DataChoice& data,
                              const std::filesystem::path& output, double score_threshold, int threads,
                              std::ostream& notes) {
  LoadedDetector detector = load_detector(model);
  const Dataset dataset = read_for(detector, data, Labels::kIgnored, threads, notes);
  DetectionLimits limits = detector.kind->limits;
  limits.score = static_cast<float>(score_threshold);
  const Run run = run_detector(detector, dataset, threads, limits);
  for (std::size_t i = 0; i < detector.classes.size(); ++i)
    if (dataset.category_ids[i] < 0)
      notes << "warning: " << data.data.string() << " has no category \"" << detector.classes[i]
            << "\", so its detections are left out" << std::endl;
  OrderedJson results = OrderedJson::array();
  for (const metrics::DetectedBox& found : run.inference.detections) {
    const auto category = static_cast<std::size_t>(found.category);
    if (dataset.category_ids[category] < 0) continue;
    results.push_back({{"image_id", found.image_id},
                       {"category_id", dataset.category_ids[category]},
                       {"bbox", {found.box.x, found.box.y, found.box.width, found.box.height}},
                       {"score", found.score}});
  }
  write_file_atomically(output, results.dump() + "\n");
  return {dataset.examples.size(), results.size()};
}

}  // namespace tune::trainer::detection
