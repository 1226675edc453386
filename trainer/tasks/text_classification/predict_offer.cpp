// `tune-train predict`: what a classifier says of each text, and what it took to say it.
#include <chrono>

#include "trainer/loop/model_facts.h"
#include "trainer/tasks/classification/answers.h"
#include "trainer/tasks/text_classification/data_options.h"
#include "trainer/tasks/text_classification/inference.h"
#include "trainer/tasks/text_classification/offers.h"

namespace tune::trainer::text_classification {
namespace {

loop::ModelFacts measure_classifier(const LoadedTextClassifier& classifier, const EncodedTexts& texts,
                                    const loop::Compute& compute) {
  const std::int64_t padding = classifier.config.layout.padding,
                     count = std::min<std::int64_t>(loop::kMeasuredExamples, texts.size());
  return loop::measure_model(*classifier.network, compute, [&](std::size_t turn) {
    const std::vector<std::int64_t> one{static_cast<std::int64_t>(turn) % count};
    classifier.network->head(features_of(*classifier.network, texts.batch(one, padding, 1), compute.device));
  });
}

classification::Predictions predictions_of(const TextForm& form, const Dataset& dataset,
                                           const torch::Tensor& logits) {
  classification::Predictions predictions{
      form.classes, form.multi_label, {}, {}, classification::probabilities_of(logits, form.multi_label)};
  for (const Example& example : dataset.examples) predictions.names.push_back(example.name);
  predictions.labels = metrics::labels_at(
      metrics::ClassScores(form.classes.size(), predictions.probabilities), form.multi_label);
  return predictions;
}

loop::Answer answer_predict(const loop::Request& request) {
  const int threads = loop::threads_for(request);
  const loop::Compute compute = loop::compute_for(threads);
  const LoadedTextClassifier classifier = load_text_classifier(request.text("model"));
  classifier.network->to(compute.device);
  const auto begin = std::chrono::steady_clock::now();
  const Dataset dataset = read_like(classifier.form, request, Labels::kIgnored);
  const torch::NoGradGuard no_grad;
  const EncodedTexts texts(classifier.tokenizer, dataset, classifier.form.max_length, threads);
  const auto read = std::chrono::steady_clock::now();
  std::optional<loop::ModelFacts> facts;
  if (request.as_json) facts = measure_classifier(classifier, texts, compute);
  const auto measured = std::chrono::steady_clock::now();
  const torch::Tensor logits = *logits_of(*classifier.network, texts, compute.device, [] { return false; });
  const double seconds =
      std::chrono::duration<double>((std::chrono::steady_clock::now() - measured) + (read - begin)).count();
  const std::string& output = request.text("output");
  classification::write_predictions(output, text_items(), predictions_of(classifier.form, dataset, logits));
  const std::size_t count = dataset.examples.size();
  if (!request.as_json) return {{}, "predictions of " + std::to_string(count) + " texts: " + output + "\n"};
  return {{{"schema", 1},
           {"output", output},
           {"form", dataset.form},
           {"warnings", dataset.warnings},
           {"texts", count},
           {"tokens", texts.tokens()},
           {"cut_texts", texts.cut_texts()},
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
                                    {"data", "DATA", "texts: a CSV, JSON Lines, a folder of them", true},
                                    {"output", "FILE", "JSON file to write", true},
                                    {"threads", "N", "of the CPU; all cores by default"}};
  add_data_options(options);
  return {
      "predict", options, answer_predict, false,
      "what was written, with the model's parameters, the multiply-adds of one text (counted in a forward "
      "pass), the median milliseconds of one text at batch 1 and the memory it took (a GPU's tensors, "
      "else the whole process)"};
}

}  // namespace tune::trainer::text_classification
