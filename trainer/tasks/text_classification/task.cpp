#include "trainer/tasks/text_classification/task.h"

#include "trainer/tasks/classification/head_choice.h"
#include "trainer/tasks/text_classification/encoder_weights.h"
#include "trainer/tasks/text_classification/offers.h"
#include "trainer/tasks/text_classification/served_text_classifier.h"
#include "trainer/tasks/text_classification/task_parts.h"

namespace tune::trainer::text_classification {
namespace {

std::unique_ptr<loop::Training> start(const loop::TrialFile& trial, const loop::Compute& compute,
                                      std::ostream& notes) {
  return std::make_unique<TextClassificationTraining>(trial, compute, parts_of(trial, notes), notes);
}

OrderedJson trainer_keys() {
  OrderedJson model = loop::trainer_key(
                  "model", "choice",
                  "the family of the encoder; auto: as config.json beside the weights says"),
              weights =
                  loop::trainer_key("weights", "path",
                                    "what to start from: a folder of Hugging Face or of a promoted model, "
                                    "with config.json and a tokenizer, or the weights file in it");
  model["values"] = {"auto"};
  for (const std::string& family : encoder_families()) model["values"].push_back(family);
  model["default"] = "auto";
  weights["required"] = true;
  OrderedJson keys = OrderedJson::array({model, loop::recipe_key(text_recipes())});
  for (const OrderedJson& row : data_keys()) keys.push_back(row);
  keys.push_back(weights);
  keys.push_back(loop::trainer_key(
      "tokenizer", "path", "the folder of the tokenizer, where that is not the folder of the weights"));
  keys.push_back(classification::head_key());
  return keys;
}

OrderedJson models() {
  constexpr std::int64_t kDescribedTokens = 128;
  const auto names = [](const std::string& family) -> std::vector<std::string> {
    if (family == "bert") return {"minilm"};
    return {};
  };
  OrderedJson rows = OrderedJson::array();
  for (const std::string& family : encoder_families()) {
    const nn::EncoderLayout layout = default_layout(family);
    rows.push_back({{"name", family},
                    {"description", describe_family(family)},
                    {"parameters", nn::parameter_count(layout)},
                    {"multiply_adds", nn::multiply_adds(layout, kDescribedTokens)},
                    {"tokens", kDescribedTokens},
                    {"weight_names", names(family)},
                    {"weights_from", {"Hugging Face: folders of " + family + " models"}}});
  }
  return rows;
}

}  // namespace

const loop::Task& text_classification_task() {
  static const loop::Task task{
      .name = "text_classification",
      .unit = "texts",
      .start = start,
      .trainer_keys = trainer_keys,
      .recipes = text_recipes,
      .models = models,
      .offers = {evaluate_offer(), predict_offer(), score_offer()},
      .fit_weights = fit_weights,
      .primary = {"accuracy", true, "predictions", "macro_f1", "f1", true},
      .data = {"labelled texts: a CSV or JSON Lines with named columns, or a CSV of labels and texts without "
               "header",
               "data/mails.csv\n"
               "  label,text\n"
               "  spam,You have won\n"
               "  ham,See you at six\n"},
      .serve = serve_text_classifier};
  return task;
}

}  // namespace tune::trainer::text_classification
