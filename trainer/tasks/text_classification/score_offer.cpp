// `tune-train score --task text_classification`: anybody's predictions against the truth.
#include <algorithm>
#include <numeric>

#include "trainer/tasks/classification/score.h"
#include "trainer/tasks/text_classification/data_options.h"
#include "trainer/tasks/text_classification/offers.h"

namespace tune::trainer::text_classification {
namespace {

using classification::ScoredExamples;

ScoredExamples scored_texts(const Dataset& dataset, const std::string& place) {
  std::vector<std::size_t> order(dataset.examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return dataset.examples[a].name < dataset.examples[b].name;
  });
  ScoredExamples texts{text_items(),        place, dataset.form, dataset.classes,
                       dataset.multi_label, {},    {},           dataset.warnings};
  for (const std::size_t i : order) {
    texts.names.push_back(dataset.examples[i].name);
    texts.truth.push_back(dataset.examples[i].labels);
  }
  return texts;
}

loop::Answer answer_score(const loop::Request& request) {
  const loop::ScoreOptions asked = loop::read_score_options(request);
  ReadOptions options = read_options(request);
  if (request.has("multi-label")) options.multi_label = true;
  const std::string& place = request.text("ground-truth");
  const Dataset dataset = read_dataset(place, options);
  const auto said_by = [&](const endpoint::AskedEndpoint& deployed) {
    std::vector<std::string> names;
    for (const Example& example : dataset.examples) names.push_back(example.name);
    const auto question = [&](std::size_t i) {
      OrderedJson body{{"text", dataset.examples[i].text}};
      if (dataset.pairs) body["second"] = dataset.examples[i].second;
      return endpoint::Question{"application/json",
                                body.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)};
    };
    return classification::ask_endpoint(deployed, names, question, dataset.multi_label, request.interrupted);
  };
  return classification::answer_score(request, asked, {scored_texts(dataset, place)}, said_by);
}

}  // namespace

loop::Offer score_offer() {
  std::vector<loop::Option> options{{"ground-truth", "DATA", "labelled texts", true}};
  for (const loop::Option& option : classification::score_options(text_items())) options.push_back(option);
  options.push_back({"multi-label", "", "labels of DATA have | or ; between them"});
  add_data_options(options);
  return {"score", options, answer_score, false, "with each class, and the confusion of classes"};
}

}  // namespace tune::trainer::text_classification
