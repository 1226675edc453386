#pragma once
// One training of a backbone on generated images.
#include "trainer/loop/device.h"
#include "trainer/loop/training.h"
#include "trainer/loop/trial_file.h"
#include "trainer/tasks/pretraining/backbone_classifier.h"
#include "trainer/tasks/pretraining/images/formula_images.h"

namespace tune::trainer::pretraining {

// One recipe: AdamW on images that no epoch shows twice.
const std::vector<loop::Recipe>& pretraining_recipes();

// Teaches a detector's backbone to tell classes of generated images apart: cross entropy on the means of its
// deepest map. Owned by the command that trains.
class Pretraining final : public loop::Training {
 public:
  // Throws Error(kBadSpec) for an unknown model and for hyperparameters that are none.
  Pretraining(const loop::TrialFile& trial, const loop::Compute& compute);

  const loop::Recipe& recipe() const override { return pretraining_recipes().front(); }
  const loop::Plan& plan() const override { return plan_; }
  torch::nn::Module& model() override { return *model_; }
  std::int64_t training_examples() const override { return values_.integer("images"); }
  loop::Batch prepare(const std::vector<std::int64_t>& examples, std::int64_t epoch) const override;
  loop::LossTerms losses(const weights::TensorMap& tensors) override;
  // On images that no epoch shows.
  loop::Metrics evaluate(const std::function<bool()>& interrupted) override;
  // Writes the backbone alone, so that any detector on it can start from it, and model.json.
  void export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                    const loop::Report& best) const override;
  std::string fingerprint() const override;

 private:
  torch::Tensor logits(const torch::Tensor& pixels);

  const std::uint64_t seed_;
  const loop::Compute compute_;
  const detection::DetectorModel& kind_;
  const loop::Hyperparameters values_;
  const loop::Plan plan_;
  const FormulaImages images_;
  BackboneClassifier model_{nullptr};
  torch::Tensor mean_, deviation_;  // of the channels, [1, 3, 1, 1] on the device
};

}  // namespace tune::trainer::pretraining
