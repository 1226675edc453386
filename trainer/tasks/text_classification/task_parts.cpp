#include "trainer/tasks/text_classification/task_parts.h"

#include <algorithm>
#include <ostream>

#include "trainer/tasks/classification/weight_lineage.h"
#include "trainer/tasks/text_classification/encoder_weights.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::text_classification {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_trial(const std::string& what, const std::string& cure) {
  throw Error(ExitCode::kBadSpec, what, cure);
}

// The folder of trainer.weights, or of the file that it names.
fs::path folder_of(const fs::path& weights) {
  std::error_code ignored;  // what cannot be looked at is said where it is opened
  if (fs::is_directory(weights, ignored)) return weights;
  return weights.has_parent_path() ? weights.parent_path() : fs::path(".");
}

EncoderConfig config_of(const Json& trainer, const fs::path& folder) {
  EncoderConfig config = read_encoder_config(folder / kConfigFile);
  const std::string model = loop::text_key(trainer, "model", "auto");
  if (model != "auto" && model != config.family)
    refuse_trial("trainer.model is \"" + model + "\", yet " + (folder / kConfigFile).string() + " is of a " +
                     config.family,
                 "leave model out, or give weights of that family");
  return config;
}

// Not given, it is 256, or as much as the encoder takes.
std::size_t max_length_of(const loop::Hyperparameters& values, const nn::EncoderLayout& layout) {
  const std::int64_t asked = values.integer("max_length"), most = nn::longest_text(layout);
  if (asked > most && values.given("max_length"))
    refuse_trial("max_length is " + std::to_string(asked) + ", yet the encoder has positions for " +
                     std::to_string(most) + " tokens",
                 "write " + std::to_string(most) + " at most");
  return static_cast<std::size_t>(std::min(asked, most));
}

classification::HeadPolicy head_of(const Json& trainer, const Asked& asked) {
  if (asked.head.empty() || asked.head == "auto") return classification::head_policy(trainer);
  if (trainer.contains("head") && trainer["head"] != "auto" && trainer["head"] != asked.head)
    refuse_trial("the recipe's hyperparameters ask for the head \"" + asked.head +
                     "\", yet trainer.head is " + trainer["head"].dump(),
                 "leave one of them out");
  return classification::head_policy({{"head", asked.head}});
}

}  // namespace

TextParts parts_of(const loop::TrialFile& trial, std::ostream& notes) {
  const Json& trainer = trial.trainer;
  const loop::Recipe& recipe =
      text_recipe(loop::text_key(trainer, "recipe", text_recipes().front().name.c_str()));
  Asked asked = asked_of(recipe, trial.parameters);
  const fs::path weights = loop::text_key(trainer, "weights", ""), folder = folder_of(weights);
  if (weights.empty())
    refuse_trial("trainer.weights is missing",
                 "name a folder of Hugging Face with config.json, model.safetensors and a tokenizer");
  loop::Hyperparameters values = fine_tuning_values(asked.parameters);
  classification::fine_tuning_plan(values);  // what contradicts itself is said before the data is read
  EncoderConfig config = config_of(trainer, folder);
  nn::EncoderLayout layout = config.layout;
  if (values.given("dropout")) layout.head_dropout = values.number("dropout");
  const fs::path tokenizer_folder = loop::text_key(trainer, "tokenizer", "");
  text::Tokenizer tokenizer = text::Tokenizer::open(tokenizer_folder.empty() ? folder : tokenizer_folder);
  check_tokenizer(tokenizer, layout, folder, notes);
  TextParts parts{.recipe = recipe.name,
                  .asked = asked,
                  .values = values,
                  .given = loop::Hyperparameters(recipe.hyperparameters, trial.parameters).values(),
                  .config = std::move(config),
                  .tokenizer = std::move(tokenizer)};
  for (const std::string& note : asked.notes) notes << "note: " << note << std::endl;
  parts.sets = read_text_sets(trainer, notes);
  const Dataset& training = parts.sets.training;
  parts.form = {training.classes, training.multi_label, training.pairs, max_length_of(values, layout)};
  torch::manual_seed(trial.seed);
  parts.network =
      std::make_shared<nn::TextEncoder>(layout, static_cast<std::int64_t>(training.classes.size()));
  initialise_from(*parts.network, parts.config, weights::weights_file(weights),
                  {training.classes, training.multi_label}, head_of(trainer, asked), notes);
  parts.initial_weights = classification::initial_weights_json(weights);
  return parts;
}

}  // namespace tune::trainer::text_classification
