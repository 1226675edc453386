// `tune-train predict`: what a classifier says of each image, and what it took to say it.
#include <chrono>
#include <memory>

#include "trainer/loop/model_facts.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/image_classification/data/image_items.h"
#include "trainer/tasks/image_classification/data_parts.h"
#include "trainer/tasks/image_classification/inference.h"
#include "trainer/tasks/image_classification/offers.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

constexpr std::int64_t kPredictedAtOnce = 32;

// Each image as a set of its own, decoded.
std::vector<std::unique_ptr<ImageBatches>> single_images(const Dataset& dataset,
                                                         const LoadedClassifier& classifier) {
  std::vector<std::unique_ptr<ImageBatches>> images;
  for (std::size_t i = 0; i < std::min(loop::kMeasuredExamples, dataset.examples.size()); ++i)
    images.push_back(std::make_unique<ImageBatches>(std::vector{dataset.examples[i].image},
                                                    classifier.preprocessing, std::nullopt, /*seed=*/0, 1));
  return images;
}

loop::ModelFacts measure_classifier(const LoadedClassifier& classifier, const Dataset& dataset,
                                    const loop::Compute& compute) {
  const auto images = single_images(dataset, classifier);
  return loop::measure_model(*classifier.network, compute, [&](std::size_t turn) {
    probabilities_of(classifier, *images[turn % images.size()], compute, /*batch=*/1, [] { return false; });
  });
}

classification::Predictions predictions_of(const LoadedClassifier& classifier, const Dataset& dataset,
                                           std::vector<double> probabilities) {
  classification::Predictions predictions{
      classifier.classes, classifier.multi_label, {}, {}, std::move(probabilities)};
  for (const Example& example : dataset.examples) predictions.names.push_back(example.name);
  predictions.labels = metrics::labels_at(
      metrics::ClassScores(classifier.classes.size(), predictions.probabilities), classifier.multi_label);
  return predictions;
}

loop::Answer answer_predict(const loop::Request& request) {
  const int threads = loop::threads_for(request);
  const loop::Compute compute = loop::compute_for(threads);
  LoadedClassifier classifier = load_classifier(request.text("model"));
  classifier.network->to(compute.device);
  const DataChoice choice = data_choice(request);
  ReadOptions options;
  options.labels = Labels::kIgnored;
  options.classes = classifier.classes;
  options.multi_label = classifier.multi_label;
  options.threads = threads;
  const auto begin = std::chrono::steady_clock::now();
  const Dataset dataset = read_chosen(choice, options, request.notes, loop::stop_requested);
  request.notes << recognised(choice.data, dataset) << '\n';
  for (const std::string& warning : dataset.warnings) request.notes << "warning: " << warning << '\n';
  request.notes << std::flush;
  const auto read = std::chrono::steady_clock::now();
  std::optional<loop::ModelFacts> facts;
  if (request.as_json) facts = measure_classifier(classifier, dataset, compute);
  const auto measured = std::chrono::steady_clock::now();
  const ImageBatches images(files_of(dataset), classifier.preprocessing, std::nullopt, /*seed=*/0, threads);
  auto probabilities = probabilities_of(classifier, images, compute, kPredictedAtOnce, [] { return false; });
  const double seconds =
      std::chrono::duration<double>((std::chrono::steady_clock::now() - measured) + (read - begin)).count();
  const std::string& output = request.text("output");
  classification::write_predictions(output, image_items(),
                                    predictions_of(classifier, dataset, std::move(*probabilities)));
  const std::size_t count = dataset.examples.size();
  if (!request.as_json) return {{}, "predictions of " + std::to_string(count) + " images: " + output + "\n"};
  return {{{"schema", 1},
           {"output", output},
           {"form", dataset.form},
           {"warnings", dataset.warnings},
           {"images", count},
           {"seconds", seconds},
           {"device", compute.device.str()},
           {"parameters", facts->parameters},
           {"multiply_adds", facts->multiply_adds},
           {"latency_ms", facts->latency_ms},
           {"peak_memory_bytes", facts->peak_memory_bytes}},
          "",
          -1};
}

}  // namespace

loop::Offer predict_offer() {
  std::vector<loop::Option> options{{"model", "MODEL", "folder of a model", true},
                                    {"data", "DATA", "images, one image, or labelled images", true},
                                    {"output", "FILE", "JSON file to write", true},
                                    {"threads", "N", "of the CPU; all cores by default"}};
  add_data_options(options);
  return {
      "predict", options, answer_predict, false,
      "what was written, with the model's parameters, the multiply-adds of one image (counted in a forward "
      "pass), the median milliseconds of one image at batch 1 and the memory it took (a GPU's tensors, else "
      "the whole process)"};
}

}  // namespace tune::trainer::image_classification
