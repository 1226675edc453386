#include "trainer/tasks/detection/detection_task.h"

#include <ostream>

#include "trainer/tasks/detection/data/fingerprint.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/data/split.h"
#include "trainer/tasks/detection/model_folder.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

constexpr std::int64_t kEvaluationBatch = 32;

class DetectionBatch final : public loop::Batch {
 public:
  torch::Tensor pixels;  // uint8 [B, size, size, 3]
  Targets targets;
};

std::string text_key(const Json& trainer, const char* key, const char* fallback) {
  if (!trainer.contains(key)) return fallback;
  if (!trainer[key].is_string())
    throw Error(ExitCode::kBadSpec, std::string("trainer.") + key + " is not text");
  return trainer[key].get<std::string>();
}

std::size_t count_objects(const Dataset& dataset) {
  std::size_t count = 0;
  for (const Example& example : dataset.examples) count += example.objects.size();
  return count;
}

void check_parts(const Dataset& training, const Dataset& validation, const std::string& place) {
  if (count_objects(training) == 0)
    throw Error(ExitCode::kBadData, place + ": the training images have no objects", "check the annotations");
  if (count_objects(validation) == 0)
    throw Error(ExitCode::kBadData,
                place + ": the validation images have no objects, so no metric is defined",
                "give `validation`, or a larger share of it in `split`");
}

}  // namespace

DetectionTask::DetectionTask(const loop::TrialFile& trial, const loop::Compute& compute, std::ostream& notes)
    : trial_(trial),
      compute_(compute),
      kind_(detector_model(text_key(trial.trainer, "model", ""))),
      recipe_(detection_recipe(text_key(trial.trainer, "recipe", "legacy"))),
      hyperparameters_(recipe_.hyperparameters, trial.parameters),
      plan_(make_plan(recipe_, hyperparameters_)),
      boxes_(default_boxes(kind_.maps)) {
  read_data(notes);
  build_model(notes);
}

void DetectionTask::read_data(std::ostream& notes) {
  const std::string data = text_key(trial_.trainer, "data", "");
  if (data.empty())
    throw Error(ExitCode::kBadSpec, "trainer.data is missing", "name the folder of the data set");
  Dataset training = read_dataset(data), validation;
  std::vector<std::string> warnings = training.warnings;
  data_fingerprint_ = detection::fingerprint(training);
  if (const std::string own = text_key(trial_.trainer, "validation", ""); !own.empty()) {
    if (trial_.trainer.contains("split"))
      throw Error(ExitCode::kBadSpec, "trainer.validation and trainer.split contradict each other",
                  "leave one out");
    validation = read_dataset(own, {Labels::kRequired, training.classes});
    data_fingerprint_ += "+" + detection::fingerprint(validation);
    warnings.insert(warnings.end(), validation.warnings.begin(), validation.warnings.end());
  } else {
    const Json options = trial_.trainer.contains("split") ? trial_.trainer["split"] : Json::object();
    Split parts = split(training, parse_split(options));
    training = std::move(parts.train);
    validation = std::move(parts.validation);
    if (!parts.test.examples.empty()) test_ = std::move(parts.test);
  }
  check_parts(training, validation, data);
  if (const std::string own = text_key(trial_.trainer, "test", ""); !own.empty()) {
    if (test_)
      throw Error(ExitCode::kBadSpec,
                  "trainer.test and the third of trainer.split.fractions contradict each other",
                  "leave one out");
    test_ = read_dataset(own, {Labels::kRequired, training.classes});
  }
  for (const std::string& warning : warnings) notes << "warning: " << warning << '\n';
  notes << "data: " << training.examples.size() << " images to train on, " << validation.examples.size()
        << " to validate, " << training.classes.size() << " classes" << std::endl;
  const Augmentation augmentation =
      hyperparameters_.flag("augmentation") ? Augmentation::for_training() : Augmentation{};
  const int size = kind_.preprocessing.size, threads = compute_.threads;
  training_ = std::make_unique<ImageSet>(std::move(training), size, augmentation, trial_.seed, threads,
                                         compute_.device.is_cpu() ? threads : 1);
  validation_ =
      std::make_unique<ImageSet>(std::move(validation), size, Augmentation{}, trial_.seed, threads, threads);
}

void DetectionTask::build_model(std::ostream& notes) {
  torch::manual_seed(trial_.seed);
  const std::vector<std::string>& classes = training_->dataset().classes;
  model_ = SsdModel(kind_, static_cast<int>(classes.size()));
  if (const std::string weights = text_key(trial_.trainer, "weights", ""); !weights.empty())
    initialise_from(model_, weights, kind_, classes, notes);
  model_->to(compute_.device);
}

std::unique_ptr<loop::Batch> DetectionTask::prepare(const std::vector<std::int64_t>& examples,
                                                    std::int64_t epoch) const {
  ImageSet::Pictures pictures = training_->pictures(examples, epoch);
  auto batch = std::make_unique<DetectionBatch>();
  batch->pixels = std::move(pictures.pixels);
  batch->targets = make_targets(pictures.objects, kind_.preprocessing.size, boxes_);
  if (compute_.device.is_cuda()) {
    batch->pixels = batch->pixels.pin_memory();
    batch->targets.categories = batch->targets.categories.pin_memory();
    batch->targets.offsets = batch->targets.offsets.pin_memory();
  }
  return batch;
}

loop::LossTerms DetectionTask::losses(const loop::Batch& batch) {
  const auto& detection_batch = dynamic_cast<const DetectionBatch&>(batch);
  Targets targets = detection_batch.targets;
  targets.categories = targets.categories.to(compute_.device, /*non_blocking=*/true);
  targets.offsets = targets.offsets.to(compute_.device, /*non_blocking=*/true);
  const SsdOutput output = model_(normalise(detection_batch.pixels, kind_.preprocessing, compute_.device));
  const SsdLoss loss = ssd_loss(output.logits, output.offsets, targets);
  return {loss.cross_entropy, loss.smooth_l1};
}

loop::Metrics DetectionTask::evaluate(const std::function<bool()>& interrupted) {
  const auto inference = infer(model_, *validation_, kind_, compute_.device, kEvaluationBatch, interrupted);
  if (!inference) return {};
  const metrics::CocoSummary summary = score(validation_->dataset(), inference->detections);
  return {{"validation:mAP", summary.ap},
          {"validation:mAP50", summary.ap50},
          {"Val_CrossEntropy", inference->cross_entropy},
          {"Val_SmoothL1", inference->smooth_l1}};
}

std::vector<std::string> DetectionTask::metric_lines(const loop::EpochReport& report) const {
  return detection::metric_lines(recipe_, report);
}

void DetectionTask::export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                                 const loop::EpochReport& best) const {
  write_model_files(folder, model, kind_, training_->dataset().classes);
  const OrderedJson description{
      {"schema", 1},
      {"task", "detection"},
      {"model", kind_.name},
      {"recipe", recipe_.name},
      {"metrics", best.metrics},
      {"test", test_metrics(model)},
      {"epoch", best.epoch},
      {"hyperparameters", hyperparameters_.values()},
      {"seed", trial_.seed},
      {"precision", loop::precision_name(compute_.precision)},
      {"data",
       {{"fingerprint", data_fingerprint_},
        {"training_images", training_->count()},
        {"validation_images", validation_->count()}}},
      {"initial_weights", trial_.trainer.contains("weights") ? trial_.trainer["weights"] : Json()},
      {"libraries", {{"tune-train", TUNE_VERSION}, {"libtorch", compat::libtorch_version()}}}};
  write_file_atomically(folder / "model.json", description.dump(2) + "\n");
}

OrderedJson DetectionTask::test_metrics(const weights::TensorMap& tensors) const {
  if (!test_) return {};
  const torch::NoGradGuard no_grad;
  const ImageSet images(*test_, kind_.preprocessing.size, Augmentation{}, trial_.seed, compute_.threads,
                        compute_.threads);
  SsdModel model(kind_, static_cast<int>(test_->classes.size()));
  weights::load_state_dict(*model, tensors);
  model->to(compute_.device);
  model->eval();
  const auto inference = infer(model, images, kind_, compute_.device, kEvaluationBatch, [] { return false; });
  const metrics::CocoSummary summary = score(*test_, inference->detections);
  return {{"fingerprint", detection::fingerprint(*test_)},
          {"images", images.count()},
          {"AP", summary.ap},
          {"AP50", summary.ap50},
          {"AP75", summary.ap75}};
}

std::string DetectionTask::fingerprint() const {
  return Json{{"model", kind_.name},
              {"recipe", recipe_.name},
              {"seed", trial_.seed},
              {"hyperparameters", hyperparameters_.values()},
              {"classes", training_->dataset().classes},
              {"data", data_fingerprint_},
              {"training_images", training_->count()}}
      .dump();
}

}  // namespace tune::trainer::detection
