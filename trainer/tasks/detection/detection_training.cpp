#include "trainer/tasks/detection/detection_training.h"

#include <algorithm>
#include <ostream>

#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/detection/anchors.h"
#include "trainer/tasks/detection/data/fingerprint.h"
#include "trainer/tasks/detection/detector_stages.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/quality_json.h"
#include "trainer/tasks/detection/training_data.h"
#include "trainer/tasks/detection/weight_names.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::detection {
namespace {

constexpr const char* kValidationEntropy = "Val_CrossEntropy";

bool wants_fitted_boxes(const Json& trainer, const DetectorModel& kind) {
  const std::string anchors = loop::text_key(trainer, "anchors", "stock");
  if (anchors != "stock" && anchors != "auto")
    throw Error(ExitCode::kBadSpec, "trainer.anchors is \"" + anchors + "\"", "stock or auto");
  if (anchors == "auto" && is_two_stage(kind))
    throw Error(ExitCode::kBadSpec, "trainer.anchors is \"auto\", yet " + kind.name + " has no default boxes",
                "\"stock\": its first stage moves anchors of its own to where objects are");
  return anchors == "auto";
}

std::string print_of_ids(const Dataset& dataset) {
  Sha256 hash;
  for (const Example& example : dataset.examples) hash.add(std::to_string(example.image_id) + "\n");
  return hash.hex();
}

OrderedJson to_json(const Quality& quality, const Dataset& dataset) {
  return {{"AP", quality.coco.ap},
          {"AP50", quality.coco.ap50},
          {"AP75", quality.coco.ap75},
          {"classes", classes_json(dataset.classes, quality.objects, quality.coco)},
          {"confusion", confusion_json(dataset.classes, quality.confusion)}};
}

}  // namespace

DetectionTraining::DetectionTraining(const loop::TrialFile& trial, const loop::Compute& compute,
                                     std::ostream& notes)
    : trial_(trial),
      compute_(compute),
      kind_(detector_model(loop::text_key(trial.trainer, "model", ""))),
      recipe_(detection_recipe(loop::text_key(trial.trainer, "recipe", "legacy"))),
      hyperparameters_(recipe_.hyperparameters, trial.parameters),
      plan_(make_plan(recipe_, hyperparameters_)),
      normalise_(kind_.preprocessing.mean, kind_.preprocessing.std, compute.device) {
  read_data(notes);
  choose_boxes(notes);
  build_model(notes);
}

void DetectionTraining::read_data(std::ostream& notes) {
  TrainingData data = read_training_data(trial_.trainer, compute_.threads, notes, loop::stop_requested);
  data_fingerprint_ = std::move(data.fingerprint);
  split_ = std::move(data.split);
  form_ = std::move(data.form);
  data_warnings_ = std::move(data.warnings);
  test_ = std::move(data.test);
  const data::Augmentation augmentation =
      hyperparameters_.flag("augmentation") ? data::Augmentation::for_training() : data::Augmentation{};
  const int threads = compute_.threads;
  training_ = std::make_unique<ImageSet>(std::move(data.training), kind_.preprocessing, augmentation,
                                         trial_.seed, compute_, compute_.accelerated ? 1 : threads);
  validation_ = std::make_unique<ImageSet>(std::move(data.validation), kind_.preprocessing,
                                           data::Augmentation{}, trial_.seed, compute_, threads);
  if (compute_.accelerated)
    notes << "images: "
          << (training_->on_device() ? "on the device"
                                     : "sent to the device batch by batch: they would take over a quarter of "
                                       "its free memory, or that is not known")
          << std::endl;
}

void DetectionTraining::choose_boxes(std::ostream& notes) {
  const bool fitted = wants_fitted_boxes(trial_.trainer, kind_);
  if (is_two_stage(kind_)) return;
  const Dataset& dataset = training_->dataset();
  const std::vector<ObjectShape> objects = object_shapes(dataset);
  const auto reached = [&] {
    return to_text(reach(objects, kind_.maps, static_cast<int>(dataset.classes.size())), dataset.classes);
  };
  if (objects.empty() && fitted)
    throw Error(ExitCode::kBadData, "trainer.anchors is \"auto\", yet all training objects are crowd regions",
                "use \"stock\"");
  if (!objects.empty())
    notes << "default boxes: the model's own reach " << reached() << " at IoU 0.5" << std::endl;
  if (fitted) {
    kind_.maps = fit_default_boxes(objects, kind_.maps);
    notes << "default boxes: fitted to the training objects they reach " << reached() << std::endl;
  }
}

void DetectionTraining::build_model(std::ostream& notes) {
  torch::manual_seed(trial_.seed);
  const std::vector<std::string>& classes = training_->dataset().classes;
  detector_ = make_detector(kind_, static_cast<int>(classes.size()));
  objects_ = detector_->object_tensors(most_objects(training_->dataset()), compute_);
  if (const std::string weights = initial_weights(); !weights.empty()) {
    initialise_from(detector_->network(), weights, kind_, classes, notes);
    keep_normalisation(notes);
  }
  detector_->to(compute_.device);
  const loop::Transfer transfer = loop::make_transfer(hyperparameters_);
  stages_.emplace(detector_->shared_network(), detector_stages(kind_), transfer);
  if (transfer.freeze == loop::Freeze::kNone && transfer.unfreeze_every == 0) return;
  notes << "transfer: " << stages_->to_text() << std::endl;
  if (initial_weights().empty())
    notes << "warning: what is frozen was never trained, since trainer.weights names no weights" << std::endl;
}

void DetectionTraining::keep_normalisation(std::ostream& notes) {
  const auto* network = std::get_if<TwoStageNetwork>(&kind_.network);
  if (network == nullptr || !network->keeps_normalisation) return;
  for (const auto& child : detector_->network().named_modules()) {
    if (!child.value()->as<torch::nn::BatchNorm2d>() || !is_of_base_network(child.key() + ".", kind_))
      continue;
    for (torch::Tensor& parameter : child.value()->parameters()) parameter.requires_grad_(false);
    kept_norms_.push_back(child.value());
  }
  notes << "normalisation: " << kept_norms_.size() << " layers of the backbone keep what the weights say"
        << std::endl;
}

bool DetectionTraining::enter_step(double epoch) {
  const bool changes = stages_->enter_step(epoch);
  for (const auto& norm : kept_norms_) norm->eval();
  return changes;
}

loop::Batch DetectionTraining::prepare(const std::vector<std::int64_t>& examples, std::int64_t epoch) const {
  loop::Batch batch;
  batch.weight = static_cast<double>(examples.size());
  objects_->add(training_->add_pictures(examples, epoch, batch.tensors), batch.tensors);
  return batch;
}

std::vector<loop::ParameterGroup> DetectionTraining::parameter_groups() {
  return stages_->by_stage(detection::parameter_groups(detector_->network(), plan_.optimizer.weight_decay,
                                                       kind_.rules.bias_learning_rate));
}

std::string DetectionTraining::initial_weights() const {
  return loop::text_key(trial_.trainer, "weights", "");
}

loop::LossTerms DetectionTraining::losses(const weights::TensorMap& tensors) {
  const DetectorLosses losses = detector_->losses(
      {normalise_(training_->pixels(tensors)), ImageSet::shown(tensors)}, tensors, *objects_, *compute_.team);
  return {losses.cross_entropy, losses.smooth_l1};
}

bool DetectionTraining::measures_losses() const {
  // One shot gives them at no cost; two stages look at regions once more for them.
  const std::vector<std::string>& names = recipe_.metric_names;
  return !is_two_stage(kind_) || std::find(names.begin(), names.end(), kValidationEntropy) != names.end();
}

loop::Metrics DetectionTraining::evaluate(const std::function<bool()>& interrupted) {
  const auto inference = infer(*detector_, *validation_, kind_, compute_,
                               {inference_batch(kind_, compute_), kind_.limits, measures_losses(),
                                [&] { return interrupted(); }, compute_.team});
  if (!inference) return {};
  const Quality quality = judge(validation_->dataset(), inference->detections);
  loop::Metrics metrics{{"validation:mAP", quality.coco.ap}, {"validation:mAP50", quality.coco.ap50}};
  if (measures_losses()) {
    metrics[kValidationEntropy] = inference->cross_entropy;
    metrics["Val_SmoothL1"] = inference->smooth_l1;
  }
  return metrics;
}

std::vector<std::string> DetectionTraining::metric_lines(const loop::Report& report) const {
  return detection::metric_lines(recipe_, report, plan_.evaluation_steps > 0);
}

void DetectionTraining::export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                                     const loop::Report& best) const {
  write_model_files(folder, model, kind_, training_->dataset().classes);
  const OrderedJson description{
      {"schema", 1},
      {"task", "detection"},
      {"model", kind_.name},
      {"recipe", recipe_.name},
      {"metrics", best.metrics},
      {"test", test_quality(model)},
      {"validation", quality_of(model, *validation_)},
      {"epoch", best.epoch},
      {"hyperparameters", hyperparameters_.values()},
      {"seed", trial_.seed},
      {"precision", loop::precision_name(compute_.precision)},
      {"data",
       {{"fingerprint", data_fingerprint_},
        {"training_images", training_->count()},
        {"validation_images", validation_->count()},
        {"split", split_},
        {"form", form_},
        {"warnings", data_warnings_}}},
      {"anchors", loop::text_key(trial_.trainer, "anchors", "stock")},
      {"labels", loop::text_key(trial_.trainer, "labels", "boxes")},
      {"parameters", kind_.parameters.of(training_->dataset().classes.size())},
      {"multiply_adds", kind_.multiply_adds.of(training_->dataset().classes.size())},
      {"initial_weights", trial_.trainer.contains("weights") ? trial_.trainer["weights"] : Json()},
      {"libraries", {{"tune-train", TUNE_VERSION}, {"libtorch", compat::libtorch_version()}}}};
  write_file_atomically(folder / "model.json", description.dump(2) + "\n");
}

OrderedJson DetectionTraining::quality_of(const weights::TensorMap& tensors, const ImageSet& images) const {
  const torch::NoGradGuard no_grad;
  const std::unique_ptr<Detector> detector =
      make_detector(kind_, static_cast<int>(images.dataset().classes.size()));
  weights::load_state_dict(detector->network(), tensors);
  detector->to(compute_.device);
  detector->network().eval();
  const auto inference = infer(*detector, images, kind_, compute_,
                               {.batch_size = inference_batch(kind_, compute_), .limits = kind_.limits});
  return to_json(judge(images.dataset(), inference->detections), images.dataset());
}

OrderedJson DetectionTraining::test_quality(const weights::TensorMap& tensors) const {
  if (!test_) return {};
  const ImageSet images(*test_, kind_.preprocessing, data::Augmentation{}, trial_.seed, compute_,
                        compute_.threads);
  OrderedJson json{{"fingerprint", detection::fingerprint(*test_)}, {"images", images.count()}};
  json.update(quality_of(tensors, images));
  return json;
}

std::string DetectionTraining::fingerprint() const {
  Json json{{"model", kind_.name},
            {"recipe", recipe_.name},
            {"seed", trial_.seed},
            {"hyperparameters", loop::lasting_values(hyperparameters_)},
            {"classes", training_->dataset().classes},
            {"data", data_fingerprint_},
            {"training_images", training_->count()}};
  // Absent for stock boxes, as in the checkpoints of versions that knew no others.
  if (wants_fitted_boxes(trial_.trainer, kind_)) json["anchors"] = "auto";
  if (takes_labels_of_images(trial_.trainer)) json["labels"] = "image";
  if (trial_.trainer.contains("weights")) json["weights"] = trial_.trainer["weights"];
  if (trial_.trainer.contains("split")) {
    for (const char* key : {"grouping", "fractions", "seed"}) json["split"][key] = split_[key];
    // Which images those are depends on the overlaps too.
    json["split"]["validation"] = print_of_ids(validation_->dataset());
  }
  return json.dump();
}

}  // namespace tune::trainer::detection
