#pragma once
// One training of a classifier.
#include <iosfwd>
#include <memory>
#include <optional>

#include "trainer/data/preprocessing.h"
#include "trainer/loop/training.h"
#include "trainer/loop/transfer.h"
#include "trainer/loop/trial_file.h"
#include "trainer/nn/image_classifier.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/classification/training_targets.h"
#include "trainer/tasks/image_classification/data/dataset.h"
#include "trainer/tasks/image_classification/frozen_pictures.h"
#include "trainer/tasks/image_classification/mixing.h"
#include "trainer/tasks/image_classification/recipes.h"

namespace tune::trainer::image_classification {

// How images are varied.
enum class Variation {
  kNone,    // they are seen as they are measured
  kOwn,     // as the trial's hyperparameters and its seed say
  kShared,  // likewise, but by a seed that all trials have
};

// What a training is made of: the task puts it together out of a trial, and tests bring their own.
struct ClassifierParts {
  std::string recipe = {}, model_name = {};
  loop::Hyperparameters values;  // of fine-tune
  Json given = {};               // the hyperparameters by the recipe's own names, with its defaults
  std::shared_ptr<nn::ImageClassifier> network = nullptr;  // with its first weights, on the CPU
  data::Preprocessing preprocessing = {};
  Dataset training = {}, validation = {};
  std::optional<Dataset> test = std::nullopt;  // looked at once, for the model that is exported
  // Opens images: decoding may begin now, or when pixels are asked for first.
  std::function<Pixels(const std::vector<std::filesystem::path>& files, Variation variation)> open = {};
  Json shared_variation = {};  // what Variation::kShared depends on
  // For model.json and the fingerprint.
  std::string data_fingerprint = {}, form = {};
  OrderedJson split = {}, initial_weights = {};
  std::vector<std::string> warnings = {};
  std::int64_t parameters = 0, multiply_adds = 0;
};

// Images in a batch of an evaluation.
inline constexpr std::int64_t kEvaluationBatch = 32;

// Owned by the command that trains. With freeze features and cache_features the network is passed once an
// image, before the training, which then sees its features alone.
class ImageClassificationTraining final : public loop::Training {
 public:
  // What a person should know goes to `notes`. Throws Error(kBadSpec) for hyperparameters that contradict
  // each other, Error(kInterrupted) once a signal asks for that while features are computed.
  ImageClassificationTraining(const loop::TrialFile& trial, const loop::Compute& compute,
                              ClassifierParts parts, std::ostream& notes);

  const loop::Recipe& recipe() const override { return recipe_; }
  const loop::Plan& plan() const override { return plan_; }
  torch::nn::Module& model() override { return *parts_.network; }
  std::vector<loop::ParameterGroup> parameter_groups() override;
  bool enter_step(double epoch) override { return stages_.enter_step(epoch); }
  std::string initial_weights() const override;
  std::int64_t training_examples() const override;
  std::vector<std::vector<std::int64_t>> epoch_batches(std::int64_t epoch, std::uint64_t seed) const override;
  loop::Batch prepare(const std::vector<std::int64_t>& examples, std::int64_t epoch) const override;
  loop::LossTerms losses(const weights::TensorMap& tensors) override;
  loop::Metrics evaluate(const std::function<bool()>& interrupted) override;
  std::vector<std::string> metric_lines(const loop::Report& report) const override;
  void export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                    const loop::Report& best) const override;
  std::string fingerprint() const override;
  bool is_worth_a_probe() const override { return !training_features_.defined(); }

 private:
  void check(const loop::Transfer& transfer) const;
  void say_what_is_trained(const loop::Transfer& transfer, std::ostream& notes) const;
  void cache_features(std::ostream& notes);
  torch::Tensor logits_of(nn::ImageClassifier& network, const Pixels& pixels,
                          const std::vector<std::int64_t>& examples) const;
  // The exported model's numbers in fp32, as everybody who uses it gets them.
  OrderedJson quality_of(nn::ImageClassifier& network, const Dataset& set) const;

  const loop::TrialFile trial_;
  const loop::Compute compute_;
  const ClassifierParts parts_;
  const loop::Recipe recipe_;
  const loop::Plan plan_;
  const Mixing mixing_;
  const metrics::LabelSet training_labels_, validation_labels_;
  const classification::TrainingTargets targets_;
  const torch::Tensor positive_weights_;  // on the device
  const nn::Normaliser normalise_;
  loop::StagedModel stages_;
  Pixels training_pixels_, validation_pixels_;
  // On the device; undefined where pixels are trained on.
  torch::Tensor training_features_;  // of all views, one after the other
  torch::Tensor validation_features_;
  std::int64_t views_ = 1;
};

}  // namespace tune::trainer::image_classification
