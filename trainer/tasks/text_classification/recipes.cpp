#include "trainer/tasks/text_classification/recipes.h"

#include <algorithm>
#include <array>
#include <set>

#include "trainer/loop/transfer.h"
#include "trainer/metrics/rank_correlation.h"
#include "trainer/tasks/text_classification/other_recipes.h"

namespace tune::trainer::text_classification {
namespace {

using loop::flag, loop::whole;
using loop::Hyperparameter;
using loop::Recipe;

constexpr const char *kTop5 = "validation:top5", *kAveragePrecision = "validation:mAP",
                     *kMatthews = "validation:matthews", *kSpearman = "validation:spearman",
                     *kLoss = "train:cross_entropy";

// A metric and how each recipe's lines call it.
struct Name {
  const char *metric, *goal, *hugging_face, *tensorflow;
};
constexpr std::array kNames{Name{"validation:accuracy", "maximize", "eval_accuracy", "val_accuracy"},
                            Name{"validation:macro_f1", "maximize", "eval_f1", "val_f1"},
                            Name{"validation:cross_entropy", "minimize", "eval_loss", "val_loss"},
                            Name{kMatthews, "maximize", "eval_matthews_correlation", "val_matthews"},
                            Name{kSpearman, "maximize", "eval_spearmanr", "val_spearman"},
                            Name{kTop5, "maximize", "eval_top_5_accuracy", "val_top_5_accuracy"},
                            Name{kAveragePrecision, "maximize", "eval_map", "val_map"},
                            Name{kLoss, "minimize", "loss", "loss"}};

constexpr const char* kNumber = "(-?[0-9.]+)";
// A line names its epoch, and before that its step where evaluations come every few steps.
constexpr const char* kHuggingFaceStep = "'(?:step|epoch)': ([0-9]+)";

bool is_loss(const Name& name) { return name.metric == std::string(kLoss); }

// Those of the plan, with what encoders do well with.
std::vector<Hyperparameter> plan_rows() {
  std::vector<Hyperparameter> rows = loop::plan_hyperparameters("texts");
  for (Hyperparameter& row : rows) {
    if (row.name == "epochs") row.default_value = 3;
    if (row.name == "batch_size") {
      row.default_value = 16;
      row.min = 1;
      row.max = 1024;
    }
    if (row.name == "lr_scheduler") row.default_value = "linear";
    if (row.name == "warmup_epochs") row.default_value = 0.3;
    if (row.name == "max_grad_norm" || row.name == "gradient_clip") row.default_value = 1;
  }
  return rows;
}

std::vector<Hyperparameter> text_rows() {
  constexpr double kMostTokens = 1 << 20;
  return {weighty(whole(
              "max_length", 256, 4, kMostTokens, "log",
              "tokens of a text, with those that stand for its ends; what is longer is cut. Where it is not "
              "given, no more than the encoder takes")),
          flag("group_by_length", true, "texts of a batch are about as long as each other"),
          weighty(flag(
              "cache_features", true,
              "with freeze features: each text passes the encoder once, and all epochs and trials look at "
              "what came out"))};
}

void append(std::vector<Hyperparameter>& rows, std::vector<Hyperparameter> more) {
  rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<Hyperparameter> fine_tuning_rows() {
  std::vector<Hyperparameter> rows =
      classification::optimizer_hyperparameters(/*learning_rate=*/5e-5, /*weight_decay=*/0.01);
  append(rows, plan_rows());
  append(rows, loop::transfer_hyperparameters());
  append(rows, text_rows());
  append(rows, classification::loss_hyperparameters());
  return rows;
}

// What other products' recipes take under our names.
std::vector<Hyperparameter> rows_for_others() {
  const std::set<std::string> own{"epochs",
                                  "batch_size",
                                  "lr_scheduler",
                                  "lr_scheduler_step",
                                  "lr_scheduler_factor",
                                  "warmup_epochs",
                                  "warmup_steps",
                                  "warmup_ratio",
                                  "accumulate",
                                  "max_grad_norm",
                                  "gradient_clip",
                                  "eval_steps",
                                  "early_stopping_patience",
                                  "early_stopping_threshold"};
  std::vector<Hyperparameter> rows;
  for (Hyperparameter& row : plan_rows())
    if (!own.contains(row.name)) rows.push_back(std::move(row));
  append(rows, loop::transfer_hyperparameters());
  append(rows, text_rows());
  for (Hyperparameter& row : classification::loss_hyperparameters())
    if (row.name == "class_weights" || row.name == "balanced_sampling") rows.push_back(std::move(row));
  return rows;
}

Recipe with_metrics(Recipe recipe) {
  for (const Name& name : kNames) {
    if (recipe.name == "hugging-face")
      recipe.metrics.push_back(
          {name.metric, name.goal, std::string("'") + name.hugging_face + "': " + kNumber, kHuggingFaceStep});
    else if (recipe.name == "tensorflow")
      recipe.metrics.push_back(
          {name.metric, name.goal,
           (is_loss(name) ? "\\] " : "\\b") + std::string(name.tensorflow) + "=" + kNumber,
           loop::kHeadRegex});
    else
      recipe.metrics.push_back(loop::plain_metric(name.metric, name.goal));
    if (!is_loss(name)) recipe.metric_names.emplace_back(name.metric);
  }
  recipe.loss_names = {kLoss};
  return recipe;
}

std::string hugging_face_line(const std::string& values, const loop::Report& report, bool by_steps) {
  return "{" + values + (by_steps ? "'step': " + std::to_string(report.step) + ", " : "") +
         "'epoch': " + std::to_string(report.epoch) + ".0}";
}

}  // namespace

const std::vector<Recipe>& text_recipes() {
  static const std::vector<Recipe> recipes{
      with_metrics({"fine-tune",
                    "AdamW with a linear schedule after a warm-up, or what the hyperparameters say",
                    fine_tuning_rows(),
                    {},
                    {},
                    {}}),
      with_metrics({"hugging-face",
                    "the hyperparameters and lines of Hugging Face's Trainer",
                    hugging_face_hyperparameters(rows_for_others()),
                    {},
                    {},
                    {}}),
      with_metrics({"tensorflow",
                    "the hyperparameters and lines of SageMaker's Text Classification - TensorFlow",
                    tensorflow_hyperparameters(rows_for_others()),
                    {},
                    {},
                    {}})};
  return recipes;
}

const Recipe& text_recipe(const std::string& name) { return loop::recipe_named(text_recipes(), name); }

Asked asked_of(const Recipe& recipe, const Json& given) {
  const loop::Hyperparameters values(recipe.hyperparameters, given);
  Asked asked;
  asked.parameters = given;
  if (recipe.name == "fine-tune") return asked;
  asked = recipe.name == "tensorflow" ? asked_of_tensorflow(values) : asked_of_hugging_face(values);
  // Given to be given: what was left alone contradicts nothing.
  for (const Hyperparameter& row : rows_for_others())
    if (values.given(row.name)) asked.parameters[row.name] = values.values().at(row.name);
  return asked;
}

loop::Hyperparameters fine_tuning_values(const Json& parameters) {
  return {text_recipe("fine-tune").hyperparameters, parameters};
}

Recipe recipe_for(const Recipe& recipe, const std::vector<std::string>& classes, bool multi_label) {
  Recipe own = recipe;
  const bool numbers = !multi_label && !metrics::class_values(classes).empty();
  const auto lacks = [&](const std::string& name) {
    return (name == kTop5 && (multi_label || classes.size() <= metrics::kTop)) ||
           (name == kMatthews && multi_label) || (name == kSpearman && !numbers) ||
           (name == kAveragePrecision && !multi_label);
  };
  std::erase_if(own.metrics, [&](const loop::MetricDefinition& metric) { return lacks(metric.name); });
  std::erase_if(own.metric_names, lacks);
  return own;
}

std::vector<std::string> metric_lines(const Recipe& recipe, const loop::Report& report, bool by_steps) {
  const bool is_hugging_face = recipe.name == "hugging-face";
  std::string loss, others;
  for (const Name& name : kNames) {
    const auto value = report.metrics.find(name.metric);
    if (value == report.metrics.end()) continue;
    std::string& text = is_loss(name) ? loss : others;
    const std::string number = loop::fixed_point(value->second);
    text += is_hugging_face ? std::string("'") + name.hugging_face + "': " + number + ", "
                            : std::string(name.tensorflow) + "=" + number + " - ";
  }
  if (is_hugging_face) {
    std::vector<std::string> lines;
    for (const std::string* values : {&loss, &others})
      if (!values->empty()) lines.push_back(hugging_face_line(*values, report, by_steps));
    return lines;
  }
  std::string line = loop::line_head(report, by_steps) + loss + others;
  line.resize(line.size() - 3);
  return {line};
}

}  // namespace tune::trainer::text_classification
