#pragma once
// How classifiers are trained: the hyperparameters, the optimizer and the reported lines of each recipe.
#include <optional>
#include <string>
#include <vector>

#include "trainer/loop/recipe.h"
#include "trainer/loop/training.h"
#include "trainer/tasks/classification/fine_tuning.h"

namespace tune::trainer::image_classification {

// fine-tune: ours. mxnet: the names and lines of SageMaker's built-in Image Classification. tensorflow: those
// of its Image Classification - TensorFlow. All report the same metrics under the same names.
const std::vector<loop::Recipe>& classification_recipes();
// Throws Error(kBadSpec) with the names that there are.
const loop::Recipe& classification_recipe(const std::string& name);

// What a trial asks for by the names of another product's recipe, in the names of fine-tune; facts that it
// states about data and model, to be compared with what these are; and what has no meaning here.
struct Asked {
  Json parameters = Json::object();  // of fine-tune
  std::string head = {};             // trainer.head, where the recipe says it
  std::optional<std::int64_t> layers = std::nullopt, classes = std::nullopt, images = std::nullopt;
  std::optional<bool> multi_label = std::nullopt, pretrained = std::nullopt;
  std::vector<std::string> notes = {};
};
// Throws Error(kBadSpec) for what is none of the recipe's, or contradicts itself.
Asked asked_of(const loop::Recipe& recipe, const Json& given);

// The values of fine-tune that Asked stands for.
loop::Hyperparameters fine_tuning_values(const Json& parameters);
using classification::fine_tuning_plan;

// The recipe less the metrics that a data set does not have: the best of five answers of five classes or
// fewer, the mean average precision where an image is of one class.
loop::Recipe recipe_for(const loop::Recipe& recipe, std::size_t classes, bool multi_label);

// The lines of mxnet and of tensorflow; those of fine-tune are any training's. `by_steps`: they name the step
// of the optimizer beside the epoch, and are read by it.
std::vector<std::string> metric_lines(const loop::Recipe& recipe, const loop::Report& report, bool by_steps);

}  // namespace tune::trainer::image_classification
