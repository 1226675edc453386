#pragma once
// One training of a backbone on generated images.
#include <string>

#include "trainer/loop/device.h"
#include "trainer/loop/training.h"
#include "trainer/tasks/pretraining/backbone_classifier.h"
#include "trainer/tasks/pretraining/images/formula_images.h"

namespace tune::trainer::pretraining {

struct PretrainingSettings {
  std::string model;  // a detector of `tune-train describe`
  int classes = 256;
  int size = 96;  // pixels of the generated images
  std::int64_t epochs = 15;
  std::int64_t images = 4096;  // in an epoch; every epoch has new ones
  std::int64_t batch_size = 64;
  std::uint64_t seed = 1;
  std::string file_name;  // of the weights, in the folder that the loop exports to
};

// Teaches a detector's backbone to tell classes of generated images apart: cross entropy on the means of its
// deepest map. Owned by the command that trains.
class Pretraining final : public loop::Training {
 public:
  // Throws Error(kBadSpec) for an unknown model.
  Pretraining(const PretrainingSettings& settings, const loop::Compute& compute);

  const loop::Plan& plan() const override { return plan_; }
  torch::nn::Module& model() override { return *model_; }
  std::int64_t training_examples() const override { return settings_.images; }
  std::vector<std::string> loss_names() const override { return {"train:cross_entropy"}; }
  std::vector<std::string> metric_names() const override {
    return {"validation:cross_entropy", "validation:accuracy"};
  }
  std::unique_ptr<loop::Batch> prepare(const std::vector<std::int64_t>& examples,
                                       std::int64_t epoch) const override;
  loop::LossTerms losses(const loop::Batch& batch) override;
  // On images that no epoch shows.
  loop::Metrics evaluate(const std::function<bool()>& interrupted) override;
  std::vector<std::string> metric_lines(const loop::Report& report) const override;
  // Writes the backbone alone, so that any detector on it can start from it.
  void export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                    const loop::Report& best) const override;
  std::string fingerprint() const override;

 private:
  torch::Tensor logits(const torch::Tensor& pixels);

  const PretrainingSettings settings_;
  const loop::Compute compute_;
  const detection::DetectorModel& kind_;
  const loop::Plan plan_;
  const FormulaImages images_;
  BackboneClassifier model_{nullptr};
};

}  // namespace tune::trainer::pretraining
