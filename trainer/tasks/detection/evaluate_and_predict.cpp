#include "trainer/tasks/detection/evaluate_and_predict.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <ostream>

#include "trainer/loop/device.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/nn/multiply_adds.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/picture_page.h"
#include "tuner/core/error.h"
#include "tuner/core/quantile.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::detection {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBatch = 32;

struct Run {
  Inference inference;
  double images_per_second = 0;
};

loop::Compute compute_for(int threads) {
  const char* named = std::getenv("CUDA_VISIBLE_DEVICES");
  return loop::set_up_compute(threads, named != nullptr && *named != '\0' && torch::cuda::is_available());
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Run run_detector(LoadedDetector& detector, const Dataset& dataset, const loop::Compute& compute,
                 const DetectionLimits& limits) {
  const ImageSet images(dataset, detector.kind->preprocessing.size, data::Augmentation{}, /*seed=*/0, compute,
                        compute.threads);
  const torch::NoGradGuard no_grad;
  const auto begin = std::chrono::steady_clock::now();
  auto inference = infer(
      detector.model, images, *detector.kind, compute, kBatch, [] { return false; }, limits);
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

constexpr std::size_t kMostImages = 8;  // that take turns
constexpr std::size_t kWarmUp = 2, kFewest = 5, kMost = 100;
constexpr std::chrono::seconds kLongEnough{2};

// Each image as a set of its own, decoded.
std::vector<std::unique_ptr<ImageSet>> single_images(const Dataset& dataset, int size,
                                                     const loop::Compute& compute) {
  std::vector<std::unique_ptr<ImageSet>> images;
  for (std::size_t i = 0; i < std::min(kMostImages, dataset.examples.size()); ++i) {
    Dataset one = dataset;
    one.examples = {dataset.examples[i]};
    one.labelled = false;
    images.push_back(std::make_unique<ImageSet>(std::move(one), size, data::Augmentation{}, /*seed=*/0,
                                                compute, compute.threads));
  }
  return images;
}

// Takes a few of the images of `dataset`, which has at least one; about two seconds, or longer for five
// images of a model that is slow. The model is on `compute.device`. Before much else is in memory.
ModelFacts measure_detector(LoadedDetector& detector, const Dataset& dataset, const loop::Compute& compute,
                            const DetectionLimits& limits) {
  const torch::NoGradGuard no_grad;
  const auto images = single_images(dataset, detector.kind->preprocessing.size, compute);
  const auto detect_in = [&](std::size_t turn) {
    infer(
        detector.model, *images[turn % images.size()], *detector.kind, compute, /*batch_size=*/1,
        [] { return false; }, limits);
    loop::wait_for(compute.device);
  };
  ModelFacts facts;
  for (const torch::Tensor& parameter : detector.model->parameters()) facts.parameters += parameter.numel();
  loop::forget_peak_memory(compute.device);
  facts.multiply_adds = nn::count_multiply_adds([&] { detect_in(0); });
  for (std::size_t turn = 1; turn < kWarmUp; ++turn) detect_in(turn);
  std::vector<double> milliseconds;
  const auto begin = std::chrono::steady_clock::now();
  while (milliseconds.size() < kFewest ||
         (milliseconds.size() < kMost && std::chrono::steady_clock::now() - begin < kLongEnough)) {
    const auto start = std::chrono::steady_clock::now();
    detect_in(milliseconds.size());
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  facts.latency_ms = median(std::move(milliseconds));
  facts.peak_memory_bytes = loop::peak_memory_bytes(compute.device);
  return facts;
}

// As the confusion of classes counts them: below, nobody would call it a detection.
constexpr double kPicturedScore = 0.25;
constexpr int kPicturedSide = 1000;  // pixels

// Each image with its better detections, best first in the caption.
std::size_t draw_pictures(const fs::path& folder, const Dataset& dataset,
                          const std::vector<std::string>& classes,
                          const std::vector<metrics::DetectedBox>& detections) {
  PicturePage page(folder, "Detections");
  page.heading("Detections with a score of at least 0.25", dataset.examples.size());
  for (const Example& example : dataset.examples) {
    std::vector<metrics::DetectedBox> found;
    for (const metrics::DetectedBox& each : detections)
      if (each.image_id == example.image_id && each.score >= kPicturedScore) found.push_back(each);
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    std::string caption = example.name + (found.empty() ? ": nothing found" : ":");
    std::optional<Shown> shown = load_shown(example.image, kPicturedSide);
    for (const metrics::DetectedBox& each : found) {
      const auto& [x, y, width, height] = each.box;
      if (shown) shown->draw(x, y, x + width, y + height, class_colour(each.category + 1), 2);
      char numbers[128];
      std::snprintf(numbers, sizeof numbers, " %.2f at (%.0f, %.0f), %.0f x %.0f", each.score, x, y, width,
                    height);
      caption += "\n" + classes[static_cast<std::size_t>(each.category)] + numbers;
    }
    std::vector<images::Image> parts;
    if (shown) parts.push_back(std::move(shown->image));
    page.add(std::to_string(example.image_id) + "-" + example.image.stem().string(), caption, parts);
  }
  return page.write();
}

}  // namespace

Evaluation evaluate_model(const std::filesystem::path& model, const DataChoice& data, int threads,
                          std::ostream& notes) {
  const loop::Compute compute = compute_for(threads);
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
  const loop::Compute compute = compute_for(choice.threads);
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
    prediction.pictures = draw_pictures(choice.pictures, dataset, detector.classes, run.inference.detections);
  return prediction;
}

}  // namespace tune::trainer::detection
