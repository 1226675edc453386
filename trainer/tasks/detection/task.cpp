#include "trainer/tasks/detection/task.h"

#include "trainer/tasks/detection/detection_training.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/recipes.h"
#include "trainer/tasks/detection/served_detector.h"
#include "trainer/tasks/image_sets/data_keys.h"

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
  OrderedJson model = key("model", "choice", "the network");
  model["values"] = models;
  model["required"] = true;
  OrderedJson anchors =
      key("anchors", "choice",
          "default boxes: the model's own (stock), or, of a detector of one stage, fitted to the training "
          "objects (auto)");
  anchors["values"] = {"stock", "auto"};
  anchors["default"] = "stock";
  OrderedJson labels =
      key("labels", "choice",
          "the class of an object in training and validation: its own (boxes), or the one that its "
          "image's folder or name says (image), as a published study had it");
  labels["values"] = {"boxes", "image"};
  labels["default"] = "boxes";
  OrderedJson keys = OrderedJson::array({model, loop::recipe_key(detection_recipes())});
  for (const OrderedJson& row : image_sets::data_keys(
           "the folder of the images, where they do not lie beside the annotations of `data`"))
    keys.push_back(row);
  keys.push_back(
      key("weights", "path", "weights to start from: a model folder, a .safetensors or a .pth file"));
  keys.push_back(anchors);
  keys.push_back(labels);
  return keys;
}

// Of a backbone, or of a whole detector: how files are called, and where people get them.
struct WeightSources {
  std::vector<std::string> names, from;
};

WeightSources sources_of(const DetectorModel& model) {
  const std::string starter = "a backbone of one's own: tune-train pretrain --model " + model.name;
  if (const auto* pyramid = std::get_if<PyramidNetwork>(&model.network)) {
    constexpr std::int64_t kTorchvisionChannels = 64;
    if (pyramid->base_channels != kTorchvisionChannels) return {{}, {starter}};
    return {{"resnet18"}, {"torchvision: resnet18, the backbone", starter}};
  }
  if (const auto* two_stage = std::get_if<TwoStageNetwork>(&model.network)) {
    constexpr std::int64_t kTorchvisionWidth = 64;
    if (two_stage->base_channels != kTorchvisionWidth) return {{}, {starter}};
    const std::string resnet = two_stage->block == nn::ResNetBlock::kBottleneck ? "resnet50"
                               : two_stage->blocks == std::array{2, 2, 2, 2}    ? "resnet18"
                                                                                : "resnet34";
    WeightSources sources{{resnet}, {"torchvision: " + resnet + ", the backbone", starter}};
    if (model.name != "fasterrcnn-resnet50-fpn") return sources;
    sources.names.insert(sources.names.begin(), "fasterrcnn_resnet50_fpn");
    sources.from.insert(sources.from.begin(),
                        "torchvision: fasterrcnn_resnet50_fpn of COCO_V1, the whole detector");
    return sources;
  }
  if (std::holds_alternative<ResNet50Network>(model.network))
    return {{"resnet50"}, {"torchvision: resnet50, the backbone", starter}};
  // Those for pixels from 0 to 255; torchvision's other VGG-16 wants another normalisation.
  const std::string features = "torchvision: vgg16 of IMAGENET1K_FEATURES, the backbone";
  if (model.name == "ssd300-vgg16")
    return {{"ssd300_vgg16", "vgg16_features"},
            {"torchvision: ssd300_vgg16, the whole detector", features, starter}};
  return {{"vgg16_features"}, {features, starter}};
}

OrderedJson models() {
  OrderedJson rows = OrderedJson::array();
  for (const DetectorModel& model : detector_models()) {
    const WeightSources sources = sources_of(model);
    OrderedJson row{
        {"name", model.name}, {"image_size", model.preprocessing.size}, {"description", model.description}};
    if (!is_two_stage(model)) row["default_boxes"] = default_boxes(model.maps).size();
    row.update({{"parameters", model.parameters.of(kDescribedClasses)},
                {"multiply_adds", model.multiply_adds.of(kDescribedClasses)},
                {"classes", kDescribedClasses},
                {"weight_names", sources.names},
                {"weights_from", sources.from}});
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

const loop::Task& detection_task() {
  static const loop::Task task{
      "detection",
      "images",
      start,
      trainer_keys,
      detection_recipes,
      models,
      {evaluate_offer(), predict_offer(), score_offer(), audit_offer()},
      fit_weights,
      {"AP", true, "detections", "AP50", "AP", true},
      {"images with the boxes of objects: PASCAL VOC's XML, COCO's JSON, or YOLO's texts",
       "data/steel/\n"
       "  images/crazing_1.jpg\n"
       "  annotations/crazing_1.xml\n"},
      nullptr,
      serve_detector};
  return task;
}

}  // namespace tune::trainer::detection
