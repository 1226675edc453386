#include "trainer/tasks/image_classification/recipes.h"

#include <algorithm>
#include <array>
#include <set>

#include "trainer/loop/transfer.h"
#include "trainer/tasks/image_classification/augmentation_hyperparameters.h"
#include "trainer/tasks/image_classification/sagemaker_recipes.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

using loop::flag, loop::real, loop::whole;
using loop::Hyperparameter;
using loop::Recipe;

constexpr const char *kTop5 = "validation:top5", *kAveragePrecision = "validation:mAP",
                     *kLoss = "train:cross_entropy";

// A metric and how each recipe's lines call it.
struct Name {
  const char *metric, *goal, *mxnet, *tensorflow;
};
constexpr std::array kNames{
    Name{"validation:accuracy", "maximize", "Validation-accuracy", "val_accuracy"},
    Name{"validation:macro_f1", "maximize", "Validation-macro_f1", "val_macro_f1"},
    Name{"validation:cross_entropy", "minimize", "Validation-cross-entropy", "val_loss"},
    Name{kTop5, "maximize", "Validation-top_k_accuracy_5", "val_top_5_accuracy"},
    Name{kAveragePrecision, "maximize", "Validation-mAP", "val_mAP"},
    Name{kLoss, "minimize", "Train-cross-entropy", "loss"}};

// The step of the optimizer where the head has one (evaluations every few steps), else the epoch.
constexpr const char* kMxnetHead = "Epoch\\[(?:[0-9]+\\] Step\\[)?([0-9]+)\\]";
constexpr const char* kNumber = "([0-9.]+)";

Hyperparameter image_size_row() {
  return weighty(
      whole("image_size", 0, 0, 1024, "linear",
            "pixels of each side of what the network sees, cut out of the same share of the image; 0: the "
            "size that the model's weights were trained on"));
}

std::vector<Hyperparameter> caching_rows() {
  return {
      weighty(flag(
          "cache_features", true,
          "with freeze features: each image passes the network once, and all epochs and trials look at what "
          "came out; without it images are varied, and pass it in each epoch")),
      weighty(whole(
          "feature_views", 1, 1, 64, "linear",
          "with cached features: how many of each image, the first of the image as it is, the others of it "
          "varied"))};
}

std::vector<Hyperparameter> mixing_rows() {
  return {
      real("mixup_alpha", 0, 0, 10, "linear",
           "mixes images with their neighbours, by shares of a beta distribution of this parameter; 0: no"),
      real("cutmix_alpha", 0, 0, 10, "linear",
           "pastes rectangles of neighbours into images, likewise; 0: no")};
}

// Those of the plan, with what images of classes do well with.
std::vector<Hyperparameter> plan_rows() {
  std::vector<Hyperparameter> rows = loop::plan_hyperparameters("images");
  for (Hyperparameter& row : rows) {
    if (row.name == "epochs") row.default_value = 10;
    if (row.name == "batch_size") row.default_value = 32, row.least_part = loop::kNormalisedPart;
  }
  return rows;
}

void append(std::vector<Hyperparameter>& rows, std::vector<Hyperparameter> more) {
  rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<Hyperparameter> fine_tuning_rows() {
  std::vector<Hyperparameter> rows =
      classification::optimizer_hyperparameters(/*learning_rate=*/3e-4, /*weight_decay=*/0.05);
  append(rows, plan_rows());
  append(rows, loop::transfer_hyperparameters());
  append(rows, caching_rows());
  append(rows, classification::loss_hyperparameters());
  append(rows, mixing_rows());
  rows.push_back(image_size_row());
  append(rows, augmentation_hyperparameters());
  return rows;
}

// What other products' recipes take under our names, with what those products do where they are left alone.
std::vector<Hyperparameter> rows_for_others() {
  const std::set<std::string> own{"epochs",
                                  "batch_size",
                                  "lr_scheduler",
                                  "lr_scheduler_step",
                                  "lr_scheduler_factor",
                                  "early_stopping_patience",
                                  "early_stopping_threshold",
                                  "early_stopping_tolerance",
                                  "early_stopping_min_epochs",
                                  "gradient_clip"};
  std::vector<Hyperparameter> rows;
  for (Hyperparameter& row : plan_rows()) {
    if (own.contains(row.name)) continue;
    if (row.name == "warmup_epochs" || row.name == "max_grad_norm") row.default_value = 0;
    rows.push_back(std::move(row));
  }
  append(rows, loop::transfer_hyperparameters());
  append(rows, caching_rows());
  return rows;
}

// Their values under our names. What was left alone contradicts nothing, but where those products do
// otherwise than fine-tune.
void add_shared(const loop::Hyperparameters& values, Json& ours) {
  for (const Hyperparameter& row : rows_for_others()) {
    const bool differs = row.name == "warmup_epochs" || row.name == "max_grad_norm";
    if (values.given(row.name) || differs) ours[row.name] = values.values().at(row.name);
  }
}

Recipe with_metrics(Recipe recipe) {
  for (const Name& name : kNames) {
    if (recipe.name == "mxnet")
      recipe.metrics.push_back(
          {name.metric, name.goal, std::string("\\b") + name.mxnet + "=" + kNumber, kMxnetHead});
    else if (recipe.name == "tensorflow")
      recipe.metrics.push_back({name.metric, name.goal,
                                (name.metric == std::string(kLoss) ? "\\] " : "\\b") +
                                    std::string(name.tensorflow) + ": " + kNumber,
                                loop::kHeadRegex});
    else
      recipe.metrics.push_back(loop::plain_metric(name.metric, name.goal));
    if (name.metric != std::string(kLoss)) recipe.metric_names.push_back(name.metric);
  }
  recipe.loss_names = {kLoss};
  return recipe;
}

// The hyperparameter by which the trial asks for images that vary; "" where it asks for nothing.
std::string asked_variation(const Recipe& recipe, const loop::Hyperparameters& values) {
  if (recipe.name == "mxnet") return values.text("augmentation_type") == "none" ? "" : "augmentation_type";
  if (recipe.name == "tensorflow") return values.flag("augmentation") ? "augmentation" : "";
  for (const Hyperparameter& row : augmentation_hyperparameters())
    if (values.changed(row.name) && values.values().at(row.name) != false) return row.name;
  return "";
}

// Cached features are of images as they are, whatever else is asked for.
void note_unvaried(const Recipe& recipe, const loop::Hyperparameters& values, Asked& asked) {
  const auto ours = fine_tuning_values(asked.parameters);
  const bool is_cached = ours.text("freeze") == "features" && ours.flag("cache_features");
  const std::string name = asked_variation(recipe, values);
  if (!is_cached || ours.integer("feature_views") > 1 || name.empty()) return;
  asked.notes.push_back("hyperparameter " + name +
                        " is taken, but changes nothing: features are cached of images as they are; "
                        "\"cache_features\": false varies them, and so does \"feature_views\" above 1");
}

}  // namespace

const std::vector<Recipe>& classification_recipes() {
  static const std::vector<Recipe> recipes{
      with_metrics({"fine-tune",
                    "AdamW with a cosine schedule, or what the hyperparameters say",
                    fine_tuning_rows(),
                    {},
                    {},
                    {}}),
      with_metrics({"mxnet",
                    "the hyperparameters and lines of SageMaker's built-in Image Classification",
                    mxnet_hyperparameters(rows_for_others()),
                    {},
                    {},
                    {}}),
      with_metrics({"tensorflow",
                    "the hyperparameters and lines of SageMaker's Image Classification - TensorFlow",
                    tensorflow_hyperparameters(rows_for_others()),
                    {},
                    {},
                    {}})};
  return recipes;
}

const Recipe& classification_recipe(const std::string& name) {
  return loop::recipe_named(classification_recipes(), name);
}

Asked asked_of(const Recipe& recipe, const Json& given) {
  const loop::Hyperparameters values(recipe.hyperparameters, given);
  Asked asked;
  asked.parameters = given;
  if (recipe.name == "mxnet") asked = asked_of_mxnet(values);
  if (recipe.name == "tensorflow") asked = asked_of_tensorflow(values);
  if (recipe.name != "fine-tune") add_shared(values, asked.parameters);
  note_unvaried(recipe, values, asked);
  return asked;
}

loop::Hyperparameters fine_tuning_values(const Json& parameters) {
  return {classification_recipe("fine-tune").hyperparameters, parameters};
}

Recipe recipe_for(const Recipe& recipe, std::size_t classes, bool multi_label) {
  Recipe own = recipe;
  const auto lacks = [&](const std::string& name) {
    return (name == kTop5 && (multi_label || classes <= 5)) || (name == kAveragePrecision && !multi_label);
  };
  std::erase_if(own.metrics, [&](const loop::MetricDefinition& metric) { return lacks(metric.name); });
  std::erase_if(own.metric_names, lacks);
  return own;
}

std::vector<std::string> metric_lines(const Recipe& recipe, const loop::Report& report, bool by_steps) {
  std::vector<std::pair<Name, std::string>> found;
  for (const Name& name : kNames)
    if (const auto value = report.metrics.find(name.metric); value != report.metrics.end())
      found.emplace_back(name, loop::fixed_point(value->second));
  std::vector<std::string> lines;
  if (recipe.name == "mxnet") {
    const std::string head = "Epoch[" + std::to_string(report.epoch) + "] " +
                             (by_steps ? "Step[" + std::to_string(report.step) + "] " : "");
    for (const auto& [name, value] : found) lines.push_back(head + name.mxnet + "=" + value);
    return lines;
  }
  // The loss of the training comes first, as Keras has it.
  if (!found.empty() && found.back().first.metric == std::string(kLoss))
    std::rotate(found.begin(), found.end() - 1, found.end());
  std::string line;
  for (const auto& [name, value] : found)
    line += (line.empty() ? loop::line_head(report, by_steps) : " - ") + name.tensorflow + ": " + value;
  return {line};
}

}  // namespace tune::trainer::image_classification
