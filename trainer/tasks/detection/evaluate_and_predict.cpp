#include "trainer/tasks/detection/evaluate_and_predict.h"

#include <chrono>
#include <map>
#include <ostream>

#include "trainer/loop/device.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/detection_pictures.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/image_sets/part_options.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::detection {
namespace {

struct Run {
  Inference inference;
  double images_per_second = 0;
};

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Run run_detector(LoadedDetector& detector, const Dataset& dataset, const loop::Compute& compute,
                 const DetectionLimits& limits) {
  const ImageSet images(dataset, detector.kind->preprocessing, data::Augmentation{}, /*seed=*/0, compute,
                        compute.threads);
  const torch::NoGradGuard no_grad;
  const auto begin = std::chrono::steady_clock::now();
  auto inference = infer(*detector.model, images, *detector.kind, compute,
                         {.batch_size = inference_batch(*detector.kind, compute), .limits = limits});
  return {std::move(*inference), static_cast<double>(images.count()) / seconds_since(begin)};
}

Dataset read_for(const LoadedDetector& detector, const DataChoice& data, Labels labels, int threads,
                 std::ostream& notes) {
  Dataset dataset = read_part(data.data, {labels, detector.classes, nullptr, data.images}, data.part, threads,
                              notes, loop::stop_requested);
  notes << recognised(data.data, dataset) << '\n';
  for (const std::string& warning : dataset.warnings) notes << "warning: " << warning << '\n';
  notes << std::flush;
  return dataset;
}

}  // namespace

DataChoice data_choice(const loop::Request& request) {
  return {request.text("data"), image_sets::part_choice(request), image_sets::images_choice(request)};
}

Evaluation evaluate_model(const std::filesystem::path& model, const DataChoice& data, int threads,
                          std::ostream& notes) {
  const loop::Compute compute = loop::compute_for(threads);
  LoadedDetector detector = load_detector(model);
  detector.model->to(compute.device);
  const Dataset dataset = read_for(detector, data, Labels::kRequired, threads, notes);
  const Run run = run_detector(detector, dataset, compute, detector.kind->limits);
  return {judge(dataset, run.inference.detections),
          detector.classes,
          dataset.examples.size(),
          run.images_per_second,
          dataset.form,
          dataset.warnings};
}

Prediction predict_with_model(const std::filesystem::path& model, const DataChoice& data,
                              const PredictionChoice& choice, std::ostream& notes) {
  const loop::Compute compute = loop::compute_for(choice.threads);
  LoadedDetector detector = load_detector(model);
  detector.model->to(compute.device);
  DetectionLimits limits = detector.kind->limits;
  limits.score = static_cast<float>(choice.score_threshold);
  auto begin = std::chrono::steady_clock::now();
  const Dataset dataset = read_for(detector, data, Labels::kIgnored, choice.threads, notes);
  double seconds = seconds_since(begin);
  std::optional<ModelFacts> facts;
  if (choice.with_facts) facts = measure_detector(detector, dataset, compute, limits);
  begin = std::chrono::steady_clock::now();
  const Run run = run_detector(detector, dataset, compute, limits);
  seconds += seconds_since(begin);
  for (std::size_t i = 0; i < detector.classes.size(); ++i)
    if (dataset.category_ids[i] < 0)
      notes << "warning: " << data.data.string() << " has no category \"" << detector.classes[i]
            << "\", so its detections are left out" << std::endl;
  std::map<std::int64_t, std::string> names;
  for (const Example& example : dataset.examples) names[example.image_id] = example.name;
  OrderedJson results = OrderedJson::array();
  for (const metrics::DetectedBox& found : run.inference.detections) {
    const auto category = static_cast<std::size_t>(found.category);
    if (dataset.category_ids[category] < 0) continue;
    results.push_back({{"image_id", found.image_id},
                       {"category_id", dataset.category_ids[category]},
                       {"bbox", {found.box.x, found.box.y, found.box.width, found.box.height}},
                       {"score", found.score},
                       // Not COCO's: for those whose images have no ids, and no category numbers.
                       {"file_name", names.at(found.image_id)},
                       {"category", detector.classes[category]}});
  }
  if (!choice.output.empty())
    write_file_atomically(choice.output,
                          results.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  Prediction prediction{dataset.examples.size(), results.size(), seconds,          facts,
                        compute.device.str(),    dataset.form,   dataset.warnings, 0};
  if (!choice.pictures.empty())
    prediction.pictures =
        draw_detections(choice.pictures, dataset, detector.classes, run.inference.detections);
  return prediction;
}

}  // namespace tune::trainer::detection
