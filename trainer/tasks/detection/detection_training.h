#pragma once
// One training of a detector.
#include <iosfwd>
#include <optional>

#include "trainer/loop/device.h"
#include "trainer/loop/hyperparameters.h"
#include "trainer/loop/training.h"
#include "trainer/loop/transfer.h"
#include "trainer/loop/trial_file.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/detection/image_set.h"
#include "trainer/tasks/detection/inference.h"
#include "trainer/tasks/detection/recipes.h"

namespace tune::trainer::detection {

// Owned by the command that trains. Everything it needs comes out of the trial; weights are drawn with the
// trial's seed.
class DetectionTraining final : public loop::Training {
 public:
  // Reads the data, decodes the images, builds the model. What a person should know goes to `notes`. Throws
  // Error(kBadData) for the data, Error(kBadSpec) for the trial.
  DetectionTraining(const loop::TrialFile& trial, const loop::Compute& compute, std::ostream& notes);

  const loop::Recipe& recipe() const override { return recipe_; }
  const loop::Plan& plan() const override { return plan_; }
  torch::nn::Module& model() override { return detector_->network(); }
  std::vector<loop::ParameterGroup> parameter_groups() override;
  bool enter_step(double epoch) override;
  bool is_repeatable() const override { return detector_->may_be_repeated(); }
  std::string initial_weights() const override;
  std::int64_t training_examples() const override { return training_->count(); }
  loop::Batch prepare(const std::vector<std::int64_t>& examples, std::int64_t epoch) const override;
  loop::LossTerms losses(const weights::TensorMap& tensors) override;
  loop::Metrics evaluate(const std::function<bool()>& interrupted) override;
  std::vector<std::string> metric_lines(const loop::Report& report) const override;
  void export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                    const loop::Report& best) const override;
  std::string fingerprint() const override;

 private:
  void read_data(std::ostream& notes);
  // The model's default boxes, or boxes fitted to the training set: trainer.anchors.
  void choose_boxes(std::ostream& notes);
  void build_model(std::ostream& notes);
  void keep_normalisation(std::ostream& notes);
  bool measures_losses() const;  // of the validation images
  // The exported model's numbers in fp32, as everybody who uses it gets them.
  OrderedJson quality_of(const weights::TensorMap& model, const ImageSet& images) const;
  OrderedJson test_quality(const weights::TensorMap& model) const;  // on trainer.test; null without one

  const loop::TrialFile trial_;
  const loop::Compute compute_;
  DetectorModel kind_;  // with the default boxes that are trained
  const loop::Recipe& recipe_;
  const loop::Hyperparameters hyperparameters_;
  const loop::Plan plan_;
  std::unique_ptr<ImageSet> training_, validation_;
  std::unique_ptr<ObjectTensors> objects_;
  std::optional<Dataset> test_;  // looked at once, for the model that is exported
  std::string data_fingerprint_;
  OrderedJson split_;  // how the data was cut, and whether it may leak
  std::string form_;   // what the data was recognised as
  std::vector<std::string> data_warnings_;
  const nn::Normaliser normalise_;
  std::unique_ptr<Detector> detector_;
  std::vector<std::shared_ptr<torch::nn::Module>> kept_norms_;  // those that stay as the weights have them
  std::optional<loop::StagedModel> stages_;
};

}  // namespace tune::trainer::detection
