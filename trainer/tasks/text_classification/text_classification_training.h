#pragma once
// One training of a classifier of texts.
#include <iosfwd>
#include <memory>
#include <optional>

#include "trainer/loop/device.h"
#include "trainer/loop/sized.h"
#include "trainer/loop/training.h"
#include "trainer/loop/transfer.h"
#include "trainer/loop/trial_file.h"
#include "trainer/nn/text_encoder.h"
#include "trainer/tasks/classification/training_targets.h"
#include "trainer/tasks/text_classification/encoded_texts.h"
#include "trainer/tasks/text_classification/model_folder.h"
#include "trainer/tasks/text_classification/recipes.h"
#include "trainer/tasks/text_classification/training_data.h"

namespace tune::trainer::text_classification {

// What a training is made of, out of a trial.
struct TextParts {
  std::string recipe = {};
  Asked asked = {};
  loop::Hyperparameters values;  // of fine-tune
  Json given = {};               // the hyperparameters by the recipe's own names, with its defaults
  EncoderConfig config = {};
  std::shared_ptr<nn::TextEncoder> network = nullptr;  // with its first weights, on the CPU
  text::Tokenizer tokenizer;
  TextForm form = {};
  TextSets sets = {};
  OrderedJson initial_weights = {};  // for model.json
};

// Owned by the command that trains. With freeze features and cache_features the encoder is passed once a
// text, before the training, which then sees its features alone.
class TextClassificationTraining final : public loop::Training, public loop::Sized {
 public:
  // Tokenises all texts. What a person should know goes to `notes`. Throws Error(kBadSpec) for
  // hyperparameters that contradict each other, Error(kInterrupted) once a signal asks for that while
  // features are computed.
  TextClassificationTraining(const loop::TrialFile& trial, const loop::Compute& compute, TextParts parts,
                             std::ostream& notes);

  const loop::Recipe& recipe() const override { return recipe_; }
  const loop::Plan& plan() const override { return plan_; }
  torch::nn::Module& model() override { return *parts_.network; }
  std::vector<loop::ParameterGroup> parameter_groups() override;
  bool enter_step(double epoch) override { return stages_.enter_step(epoch); }
  std::string initial_weights() const override;
  std::int64_t training_examples() const override;
  std::vector<std::vector<std::int64_t>> epoch_batches(std::int64_t epoch, std::uint64_t seed) const override;
  std::vector<std::int64_t> largest_examples(std::int64_t count) const override;
  loop::Sizes sizes() const override;
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
  torch::Tensor features_of(const EncodedTexts& texts, const std::vector<std::int64_t>& examples) const;
  // Logits [texts, classes] on the CPU, in the set's order; nullopt once `interrupted` says so.
  std::optional<torch::Tensor> logits_of(const EncodedTexts& texts, const std::function<bool()>& interrupted,
                                         const parallel::Team& team) const;
  // The exported model's numbers in fp32, as everybody who uses it gets them.
  OrderedJson quality_of(const Dataset& set, const EncodedTexts& texts) const;

  const loop::TrialFile trial_;
  const loop::Compute compute_;
  const TextParts parts_;
  const loop::Recipe recipe_;
  const metrics::LabelSet training_labels_, validation_labels_;
  const classification::TrainingTargets targets_;
  const torch::Tensor positive_weights_;  // on the device
  const EncodedTexts training_texts_, validation_texts_;
  const loop::Plan plan_;
  loop::StagedModel stages_;
  // Of the frozen encoder, on the device; undefined where texts are trained on.
  torch::Tensor training_features_, validation_features_;
};

}  // namespace tune::trainer::text_classification
