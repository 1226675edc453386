#include "trainer/tasks/detection/task.h"

#include "trainer/tasks/detection/detection_training.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/recipes.h"

namespace tune::trainer::detection {
namespace {

// The classes that parameters and multiply-adds are shown for.
constexpr std::size_t kDescribedClasses = 6;

std::unique_ptr<loop::Training> start(const loop::TrialFile& trial, const loop::Compute& compute,
                                      std::ostream& notes) {
  return std::make_unique<DetectionTraining>(trial, compute, notes);
}

loop::FittedWeights fit_weights(const std::filesystem::path& file, const std::string& model) {
  const DetectorModel& kind = detector_model(model);
  weights::WeightFile content = read_initial_weights(file, kind);
  const weights::FitReport report = fit_report(content, file, kind);
  return {std::move(content), report};
}

OrderedJson trainer_keys() {
  OrderedJson models = OrderedJson::array();
  for (const DetectorModel& model : detector_models()) models.push_back(model.name);
  const auto key = loop::trainer_key;
  OrderedJson model = key("model", "choice", "the network"),
              data = key("data", "path", "the data set to train on");
  model["values"] = models;
  model["required"] = true;
  data["required"] = true;
  OrderedJson split = key("split", "object", "how `data` is cut into parts, where no `validation` is given"),
              grouping =
                  key("grouping", "choice",
                      "image (the default) cuts image by image and may leak; content keeps overlapping "
                      "crops of one surface on one side");
  grouping["values"] = {"image", "content"};
  OrderedJson test = key("test", "choice",
                         "each trial's best model is measured on the third part (measured, the default), or "
                         "nobody looks at it (untouched)");
  test["values"] = {"measured", "untouched"};
  OrderedJson anchors =
      key("anchors", "choice",
          "default boxes: the model's own (stock), or fitted to the training objects (auto)");
  anchors["values"] = {"stock", "auto"};
  anchors["default"] = "stock";
  split["keys"] = {
      key("fractions", "fractions", "[train, validation] or [train, validation, test], together 1"),
      key("seed", "count", "of the draw; 0 by default"), grouping, test};
  return OrderedJson::array(
      {model, loop::recipe_key(detection_recipes()), data,
       key("images", "path",
           "the folder of the images, where they do not lie beside the annotations of `data`"),
       key("validation", "path",
           "a data set to validate on, instead of a part of `data`; where `data` has parts of its own, that "
           "is the default"),
       key("test", "path",
           "a data set on which each trial's best model is measured at the end; where `data` has such a part "
           "of its own, that is the default"),
       key("weights", "path", "weights to start from: a model folder, a .safetensors or a .pth file"), split,
       anchors});
}

OrderedJson models() {
  OrderedJson rows = OrderedJson::array();
  for (const DetectorModel& model : detector_models())
    rows.push_back({{"name", model.name},
                    {"image_size", model.preprocessing.size},
                    {"description", model.description},
                    {"default_boxes", default_boxes(model.maps).size()},
                    {"parameters", model.parameters.of(kDescribedClasses)},
                    {"multiply_adds", model.multiply_adds.of(kDescribedClasses)},
                    {"classes", kDescribedClasses}});
  return rows;
}

}  // namespace

const loop::Task& detection_task() {
  static const loop::Task task{"detection",
                               "images",
                               start,
                               trainer_keys,
                               detection_recipes,
                               models,
                               {evaluate_offer(), predict_offer(), score_offer(), audit_offer()},
                               fit_weights,
                               {"AP"}};
  return task;
}

}  // namespace tune::trainer::detection
