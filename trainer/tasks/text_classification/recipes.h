#pragma once
// How classifiers of texts are trained: the hyperparameters and the reported lines of each recipe.
#include <string>
#include <vector>

#include "trainer/loop/recipe.h"
#include "trainer/loop/training.h"
#include "trainer/tasks/classification/fine_tuning.h"

namespace tune::trainer::text_classification {

// fine-tune: ours. hugging-face: the names and lines of its Trainer. tensorflow: those of SageMaker's Text
// Classification - TensorFlow. All report the same metrics under the same names.
const std::vector<loop::Recipe>& text_recipes();
// Throws Error(kBadSpec) with the names that there are.
const loop::Recipe& text_recipe(const std::string& name);

// What a trial asks for by the names of another product's recipe, in the names of fine-tune, and what has no
// meaning here.
struct Asked {
  Json parameters = Json::object();  // of fine-tune
  std::string head = {};             // trainer.head, where the recipe says it
  std::vector<std::string> notes = {};
};
// Throws Error(kBadSpec) for what is none of the recipe's, or contradicts itself.
Asked asked_of(const loop::Recipe& recipe, const Json& given);

// The values of fine-tune that Asked stands for.
loop::Hyperparameters fine_tuning_values(const Json& parameters);

// The recipe less the metrics that a data set does not have: the best of five answers of five classes or
// fewer, Spearman's correlation of classes that are no numbers, and with several labels a text Matthews'
// too; the mean average precision where a text is of one class.
loop::Recipe recipe_for(const loop::Recipe& recipe, const std::vector<std::string>& classes,
                        bool multi_label);

// The lines of hugging-face and of tensorflow; those of fine-tune are any training's. `by_steps`: they name
// the step of the optimizer beside the epoch, and are read by it.
std::vector<std::string> metric_lines(const loop::Recipe& recipe, const loop::Report& report, bool by_steps);

}  // namespace tune::trainer::text_classification
