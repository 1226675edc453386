// `tune-train evaluate`: all numbers of a classifier on a data set.
#include <chrono>
#include <sstream>

#include "trainer/loop/model_facts.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/classification/quality_json.h"
#include "trainer/tasks/image_classification/data_parts.h"
#include "trainer/tasks/image_classification/inference.h"
#include "trainer/tasks/image_classification/offers.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

constexpr std::int64_t kEvaluatedAtOnce = 32;

double seconds_after(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

loop::Answer answer_evaluate(const loop::Request& request) {
  const int threads = loop::threads_for(request);
  const loop::Compute compute = loop::compute_for(threads);
  LoadedClassifier classifier = load_classifier(request.text("model"));
  classifier.network->to(compute.device);
  const DataChoice choice = data_choice(request);
  ReadOptions options;
  options.classes = classifier.classes;
  options.multi_label = classifier.multi_label;
  options.threads = threads;
  const Dataset dataset = read_chosen(choice, options, request.notes, loop::stop_requested);
  request.notes << recognised(choice.data, dataset) << '\n';
  for (const std::string& warning : dataset.warnings) request.notes << "warning: " << warning << '\n';
  request.notes << std::flush;
  const ImageBatches images(files_of(dataset), classifier.preprocessing, std::nullopt, /*seed=*/0, threads);
  const auto begin = std::chrono::steady_clock::now();
  auto probabilities = probabilities_of(classifier, images, compute, kEvaluatedAtOnce, [] { return false; });
  const double per_second = static_cast<double>(images.count()) / seconds_after(begin);
  const metrics::ClassScores scores(classifier.classes.size(), std::move(*probabilities));
  const metrics::ClassificationQuality quality = metrics::classification_quality(
      labels_of(dataset).labels, metrics::labels_at(scores, classifier.multi_label),
      classifier.classes.size(), classifier.multi_label, &scores);
  if (request.as_json) {
    OrderedJson json{{"schema", 1}, {"form", dataset.form}, {"warnings", dataset.warnings}};
    json.update(classification::quality_json(classifier.classes, quality, "images"));
    json["images_per_second"] = per_second;
    return {json, ""};
  }
  std::ostringstream text;
  classification::print_quality(classifier.classes, quality, "images", text);
  return {{}, text.str()};
}

}  // namespace

loop::Offer evaluate_offer() {
  std::vector<loop::Option> options{{"model", "MODEL", "folder of a model", true},
                                    {"data", "DATA", "labelled images", true},
                                    {"threads", "N", "of the CPU; all cores by default"}};
  add_data_options(options);
  return {"evaluate", options, answer_evaluate, false, "with each class, and the confusion of classes"};
}

}  // namespace tune::trainer::image_classification
