#pragma once
// How language models are trained: the hyperparameters, under our names and those of other products, and the
// reported lines.
#include <optional>
#include <string>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/loop/recipe.h"
#include "trainer/loop/training.h"
#include "trainer/nn/decoder.h"
#include "trainer/tasks/language_model/adapter.h"

namespace tune::trainer::language_model {

// fine-tune. Beside our names it takes those of Hugging Face's Trainer and of products built on it, at the
// top or in `sft_config` and `model_init_config`; `lora_config` is an object, or `lora_config.r` and so on
// one by one.
const std::vector<loop::Recipe>& language_model_recipes();

inline constexpr const char *kLoss = "validation:loss", *kPerplexity = "validation:perplexity",
                            *kAccuracy = "validation:token_accuracy", *kExactMatch = "validation:exact_match",
                            *kRougeL = "validation:rouge_l", *kTrainLoss = "train:loss";

// What a trial asks for, in our names.
struct Asked {
  loop::Hyperparameters values;
  std::optional<LoraSettings> lora = std::nullopt;  // nullopt: all weights are trained
  nn::Attention attention = nn::Attention::kSdpa;
  std::optional<loop::Precision> precision = std::nullopt;  // nullopt: neither bf16 nor fp32 is asked for
  std::vector<std::string> notes = {};                      // what a person should know
};
// Throws Error(kBadSpec) for what contradicts itself, or asks for what is not done here (fp16, Adafactor).
// `on_gpu` says where it is to be done.
Asked asked_of(const Json& parameters, bool on_gpu);

loop::Plan plan_of(const Asked& asked);
// Of a training with or without a validation set.
loop::Recipe recipe_for(const loop::Recipe& recipe, bool validates, bool on_request);

// {'eval_loss': 1.25, ..., 'epoch': 1.0}, as Hugging Face's Trainer prints its logs.
std::vector<std::string> metric_lines(const loop::Report& report, bool by_steps);
std::vector<std::string> loss_lines(const loop::Report& report);

}  // namespace tune::trainer::language_model
