#pragma once
// One training of a language model.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/loop/sized.h"
#include "trainer/loop/training.h"
#include "trainer/loop/trial_file.h"
#include "trainer/nn/decoder.h"
#include "trainer/tasks/language_model/base_model.h"
#include "trainer/tasks/language_model/recipes.h"
#include "trainer/tasks/language_model/token_batches.h"
#include "trainer/tasks/language_model/token_choice.h"

namespace tune::trainer::language_model {

// The name under which the trained adapter lies on the model.
inline constexpr const char* kTrainedAdapter = "default";

struct LanguageData {
  std::vector<TokenSequence> training, validation, test;
  std::vector<std::vector<std::int64_t>>
      prompts;                      // of the validation set, for answers; where they are asked for
  std::vector<std::string> wanted;  // those that go with them
  std::string fingerprint;          // SHA-256 of all token ids, and of what is learned of them
  OrderedJson facts;                // for model.json: counts, what was cut
};

// What a training is made of: the task puts it together out of a trial.
struct LanguageModelParts {
  std::shared_ptr<const BaseModel> base = nullptr;
  nn::Decoder decoder{nullptr};  // with its first weights and, where it trains one, its adapter; on the CPU
  Asked asked;
  LanguageData data = {};
  std::int64_t max_length = 0;
  std::string adapter = {};  // the folder that the adapter came from; "" for a new one
};

// Owned by the command that trains.
class LanguageModelTraining final : public loop::Training, public loop::Sized {
 public:
  LanguageModelTraining(const loop::TrialFile& trial, const loop::Compute& compute, LanguageModelParts parts);

  const loop::Recipe& recipe() const override { return recipe_; }
  const loop::Plan& plan() const override { return plan_; }
  torch::nn::Module& model() override { return *parts_.decoder; }
  std::string initial_weights() const override { return parts_.base->path.string(); }
  std::int64_t training_examples() const override;
  std::vector<std::vector<std::int64_t>> epoch_batches(std::int64_t epoch, std::uint64_t seed) const override;
  std::vector<std::int64_t> largest_examples(std::int64_t count) const override;
  loop::Sizes sizes() const override;
  loop::Batch prepare(const std::vector<std::int64_t>& examples, std::int64_t epoch) const override;
  loop::LossTerms losses(const weights::TensorMap& tensors) override;
  loop::Metrics evaluate(const std::function<bool()>& interrupted) override;
  std::vector<std::string> metric_lines(const loop::Report& report) const override;
  std::vector<std::string> loss_lines(const loop::Report& report) const override;
  void export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                    const loop::Report& best) const override;
  bool is_worth_a_probe() const override { return false; }
  std::string fingerprint() const override;

 private:
  std::vector<std::int64_t> epoch_order(std::int64_t epoch, std::uint64_t seed) const;
  // nullopt once `interrupted` says so.
  std::optional<std::vector<std::string>> answers_to_prompts(const GenerationSettings& settings,
                                                             const std::function<bool()>& interrupted) const;
  OrderedJson description(const loop::Report& best, bool is_whole) const;

  const loop::TrialFile trial_;
  const loop::Compute compute_;
  LanguageModelParts parts_;
  const loop::Recipe recipe_;
  const loop::Plan plan_;
  std::vector<Row> rows_;  // examples of the loop: sequences, or packed rows of them
  std::vector<std::int64_t> lengths_;
  bool packed_ = false;
};

}  // namespace tune::trainer::language_model
