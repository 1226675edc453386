// `tune-train evaluate`: all numbers of a classifier of texts on a data set.
#include <chrono>
#include <sstream>

#include "trainer/loop/model_facts.h"
#include "trainer/tasks/classification/answers.h"
#include "trainer/tasks/classification/quality_json.h"
#include "trainer/tasks/text_classification/data_options.h"
#include "trainer/tasks/text_classification/inference.h"
#include "trainer/tasks/text_classification/offers.h"

namespace tune::trainer::text_classification {
namespace {

loop::Answer answer_evaluate(const loop::Request& request) {
  const int threads = loop::threads_for(request);
  const loop::Compute compute = loop::compute_for(threads);
  const LoadedTextClassifier classifier = load_text_classifier(request.text("model"));
  classifier.network->to(compute.device);
  const Dataset dataset = read_like(classifier.form, request, Labels::kRequired);
  const torch::NoGradGuard no_grad;
  const auto begin = std::chrono::steady_clock::now();
  const EncodedTexts texts(classifier.tokenizer, dataset, classifier.form.max_length, threads);
  const torch::Tensor logits = *logits_of(*classifier.network, texts, compute.device, [] { return false; });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const metrics::LabelSet truth = labels_of(dataset);
  classification::Answers answers(truth);
  answers.add(logits);
  const metrics::ClassificationQuality quality = answers.quality();
  if (request.as_json) {
    OrderedJson json{{"schema", 1}, {"form", dataset.form}, {"warnings", dataset.warnings}};
    json.update(classification::quality_json(truth.classes, quality, "texts"));
    json["texts_per_second"] = static_cast<double>(texts.size()) / seconds;
    return {json, ""};
  }
  std::ostringstream text;
  classification::print_quality(truth.classes, quality, "texts", text);
  return {{}, text.str()};
}

}  // namespace

loop::Offer evaluate_offer() {
  std::vector<loop::Option> options{
      {"model", "MODEL", "folder of a model", true},
      {"data", "DATA", "labelled texts: a CSV, JSON Lines, a folder of them", true},
      {"threads", "N", "of the CPU; all cores by default"}};
  add_data_options(options);
  return {"evaluate", options, answer_evaluate, false, "with each class, and the confusion of classes"};
}

}  // namespace tune::trainer::text_classification
