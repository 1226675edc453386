#include "trainer/tasks/pretraining/task.h"

#include "trainer/tasks/pretraining/pretraining.h"

namespace tune::trainer::pretraining {
namespace {

std::unique_ptr<loop::Training> start(const loop::TrialFile& trial, const loop::Compute& compute,
                                      std::ostream&) {
  return std::make_unique<Pretraining>(trial, compute);
}

OrderedJson models() {
  OrderedJson rows = OrderedJson::array();
  for (const detection::DetectorModel& model : detection::detector_models())
    rows.push_back({{"name", model.name}, {"description", "its backbone: " + model.description}});
  return rows;
}

OrderedJson trainer_keys() {
  OrderedJson model = loop::trainer_key("model", "choice", "the detector whose backbone to train");
  model["values"] = OrderedJson::array();
  for (const auto& row : models()) model["values"].push_back(row["name"]);
  model["required"] = true;
  return OrderedJson::array({model, loop::recipe_key(pretraining_recipes())});
}

}  // namespace

const loop::Task& pretraining_task() {
  static const loop::Task task{.name = "pretraining",
                               .unit = "images",
                               .start = start,
                               .trainer_keys = trainer_keys,
                               .recipes = pretraining_recipes,
                               .models = models};
  return task;
}

}  // namespace tune::trainer::pretraining
