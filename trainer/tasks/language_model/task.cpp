#include "trainer/tasks/language_model/task.h"

#include "trainer/tasks/language_model/base_model.h"
#include "trainer/tasks/language_model/base_shape.h"
#include "trainer/tasks/language_model/language_model_training.h"
#include "trainer/tasks/language_model/offers.h"
#include "trainer/tasks/language_model/recipes.h"
#include "trainer/tasks/language_model/served_language_model.h"
#include "trainer/tasks/language_model/task_parts.h"

namespace tune::trainer::language_model {
namespace {

std::unique_ptr<loop::Training> start(const loop::TrialFile& trial, const loop::Compute& compute,
                                      std::ostream& notes) {
  return std::make_unique<LanguageModelTraining>(trial, compute, parts_of(trial, compute, notes));
}

// What the hyperparameters ask for, before what the whole study does; else bf16 on a GPU, which is made for
// it, and fp32 on a CPU.
std::optional<loop::Precision> precision(const loop::TrialFile& trial, const loop::Compute& compute) {
  const std::optional<loop::Precision> asked = asked_of(trial.parameters, compute.device.is_cuda()).precision;
  if (asked) return asked;
  if (trial.precision != "auto") return loop::precision_of(trial.precision);
  return compute.device.is_cuda() ? loop::Precision::kBf16 : loop::Precision::kFp32;
}

OrderedJson models() {
  OrderedJson rows =
      OrderedJson::array({{{"name", "auto"},
                           {"description", "whatever the base is: its config.json or .gguf file says it"},
                           {"weights_from", OrderedJson::array()}}});
  for (const Family& family : families())
    rows.push_back({{"name", family.name},
                    {"description", family.description},
                    {"weights_from",
                     {std::string("a Hugging Face folder (") + family.architecture + ") or a .gguf file"}}});
  return rows;
}

}  // namespace

const loop::Task& language_model_task() {
  static const loop::Task task{
      .name = "language_model",
      .unit = "tokens",
      .start = start,
      .trainer_keys = trainer_keys,
      .recipes = language_model_recipes,
      .models = models,
      .offers = {evaluate_offer(), predict_offer(), score_offer(), export_offer()},
      .fit_weights = fit_weights,
      .primary = {"rouge_l", true, "predictions", "exact_match", "", true},
      .data = {"prompts and completions: a CSV with those two columns, or JSON Lines; conversations and "
               "plain texts as JSON Lines",
               "data/answers.jsonl\n"
               "  {\"prompt\": \"What melts at 0 C?\\n\", \"completion\": \"Ice.\"}\n"},
      .precision = precision,
      .serve = serve_language_model};
  return task;
}

}  // namespace tune::trainer::language_model
