#include "trainer/tasks/image_classification/task.h"

#include "trainer/tasks/image_classification/data_parts.h"
#include "trainer/tasks/image_classification/initial_weights.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/tasks/image_classification/offers.h"
#include "trainer/tasks/image_classification/served_classifier.h"
#include "trainer/tasks/image_classification/task_parts.h"

namespace tune::trainer::image_classification {
namespace {

// The classes that parameters and multiply-adds are shown for.
constexpr std::size_t kDescribedClasses = 6;

std::unique_ptr<loop::Training> start(const loop::TrialFile& trial, const loop::Compute& compute,
                                      std::ostream& notes) {
  return std::make_unique<ImageClassificationTraining>(trial, compute, parts_of(trial, compute, notes),
                                                       notes);
}

OrderedJson trainer_keys() {
  OrderedJson model = loop::trainer_key("model", "choice",
                                        "the network; recipe mxnet may name a ResNet by num_layers instead");
  model["values"] = OrderedJson::array();
  for (const ClassifierModel& each : classifier_models()) model["values"].push_back(each.name);
  OrderedJson keys = OrderedJson::array({model, loop::recipe_key(classification_recipes())});
  for (const OrderedJson& row : data_keys()) keys.push_back(row);
  keys.push_back(loop::trainer_key("weights", "path",
                                   "weights to start from: a model folder, a .safetensors or a .pth file"));
  keys.push_back(head_key());
  return keys;
}

OrderedJson models() {
  OrderedJson rows = OrderedJson::array();
  for (const ClassifierModel& model : classifier_models()) {
    const std::string library = model.name.find("_patch") == std::string::npos ? "torchvision" : "timm";
    rows.push_back({{"name", model.name},
                    {"image_size", model.input.size},
                    {"description", model.description},
                    {"parameters", model.parameters.of(kDescribedClasses)},
                    {"multiply_adds", model.multiply_adds.of(kDescribedClasses)},
                    {"classes", kDescribedClasses},
                    {"weight_names", OrderedJson::array()},
                    {"weights_from", {library + ": " + model.name}}});
  }
  return rows;
}

}  // namespace

const loop::Task& image_classification_task() {
  static const loop::Task task{
      .name = "image_classification",
      .unit = "images",
      .start = start,
      .trainer_keys = trainer_keys,
      .recipes = classification_recipes,
      .models = models,
      .offers = {evaluate_offer(), predict_offer(), score_offer(), audit_offer(), advise_offer()},
      .fit_weights = fit_weights,
      .primary = {"accuracy", true, "predictions", "macro_f1", "f1", true},
      .data = {"images of classes: a folder for each class, a list (.lst) or a table (.csv)",
               "data/steel-classes/\n"
               "  crazing/1.jpg\n"
               "  scratches/2.jpg\n"},
      .serve = serve_classifier};
  return task;
}

}  // namespace tune::trainer::image_classification
