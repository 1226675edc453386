#include "trainer/tasks/language_model/task_parts.h"

#include <algorithm>
#include <ostream>

#include "trainer/data/split.h"
#include "trainer/loop/task.h"
#include "trainer/tasks/language_model/adapter.h"
#include "trainer/tasks/language_model/data/token_sequences.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/os/sha256.h"

namespace fs = std::filesystem;

namespace tune::trainer::language_model {
namespace {

constexpr std::int64_t kUsualMaxLength = 1024;

ExampleForm form_of(const Json& trainer) {
  ExampleForm form;
  form.prompt = loop::text_key(trainer, "prompt_column", "prompt");
  form.completion = loop::text_key(trainer, "completion_column", "completion");
  form.prompt_template = loop::text_key(trainer, "template", "");
  return form;
}

struct Parts {
  std::vector<Example> training, validation, test;
  OrderedJson split;
};

Parts read_parts(const Json& trainer) {
  const ExampleForm form = form_of(trainer);
  const std::string data = loop::text_key(trainer, "data", ""),
                    validation = loop::text_key(trainer, "validation", ""),
                    test = loop::text_key(trainer, "test", "");
  if (data.empty())
    throw Error(ExitCode::kBadSpec, "trainer.data is missing",
                R"(name a CSV or JSON Lines file, as in "data": "train.jsonl")");
  if (!validation.empty() && trainer.contains("split"))
    throw Error(ExitCode::kBadSpec, "trainer.split is given beside trainer.validation",
                "leave one of them out");
  Parts parts;
  std::vector<Example> all = read_examples(data, form);
  if (!test.empty()) parts.test = read_examples(test, form);
  if (!validation.empty()) {
    parts.training = std::move(all);
    parts.validation = read_examples(validation, form);
    return parts;
  }
  const data::SplitFractions fractions = data::parse_split(trainer.value("split", Json::object()), true);
  parts.split = {{"fractions", {fractions.train, fractions.validation, fractions.test}},
                 {"seed", fractions.seed}};
  const std::vector<data::ImageClasses> same(all.size(), {1, {1}});  // there are no classes to share out
  const data::SplitIndices indices = data::split(same, 1, fractions);
  const auto take = [&](const std::vector<std::size_t>& which, std::vector<Example>& to) {
    for (const std::size_t index : which) to.push_back(all[index]);
  };
  take(indices.train, parts.training);
  take(indices.validation, parts.validation);
  take(indices.test, parts.test);
  return parts;
}

std::int64_t max_length_of(const BaseModel& base, std::int64_t asked, std::ostream& notes) {
  const std::int64_t most = base.shape.positions;
  if (asked > most)
    throw Error(ExitCode::kBadSpec,
                "max_length is " + std::to_string(asked) + ", and " + base.path.string() + " sees " +
                    std::to_string(most) + " tokens (max_position_embeddings)",
                "at most " + std::to_string(most));
  if (asked > 0) return asked;
  const auto limit = base.tokenizer.model_max_length();
  const std::int64_t usual =
      std::min({kUsualMaxLength, most, limit ? static_cast<std::int64_t>(*limit) : most});
  notes << "max_length: " << usual << " tokens" << std::endl;
  return usual;
}

// Cuts examples into tokens, and says what was cut.
std::vector<TokenSequence> tokens_of(const ExampleTokens& tokens, const std::vector<Example>& examples,
                                     std::int64_t max_length, const char* part, OrderedJson& facts,
                                     std::ostream& notes) {
  TokenSequences made = tokens.of(examples, max_length);
  std::int64_t learned = 0, all = 0;
  for (const TokenSequence& sequence : made.sequences) {
    learned += sequence.count_learned();
    all += static_cast<std::int64_t>(sequence.ids.size());
  }
  facts[part] = {{"examples", made.sequences.size()}, {"tokens", all},
                 {"learned_tokens", learned},         {"cut_examples", made.cut},
                 {"cut_tokens", made.cut_tokens},     {"dropped_examples", made.dropped}};
  if (examples.empty()) return {};
  notes << part << ": " << plural_text(made.sequences.size(), "example") << ", " << all << " tokens, "
        << learned << " of them learned" << std::endl;
  if (made.cut > 0)
    notes << "warning: " << part << ": " << plural_text(made.cut, "example") << " cut at max_length "
          << max_length << ", by " << made.cut_tokens << " tokens" << std::endl;
  if (made.dropped > 0)
    notes << "warning: " << part << ": " << plural_text(made.dropped, "example")
          << " left out, whose prompts alone fill max_length; the first is " << made.first_dropped
          << std::endl;
  if (made.moved > 0)
    notes << "warning: " << part << ": in " << plural_text(made.moved, "example")
          << " the prompt's last token takes in the beginning of the completion; end prompts with a space or "
             "a line "
             "break, or begin completions with one"
          << std::endl;
  if (made.sequences.empty())
    throw Error(ExitCode::kBadData,
                made.first_dropped + ": its prompt alone fills max_length " + std::to_string(max_length) +
                    ", and so do all others",
                "raise max_length, or shorten the prompts");
  return std::move(made.sequences);
}

std::string print_of(const LanguageData& data) {
  Sha256 hash;
  for (const auto* part : {&data.training, &data.validation, &data.test}) {
    hash.add("part\n");
    for (const TokenSequence& sequence : *part) {
      std::string text;
      for (std::size_t i = 0; i < sequence.ids.size(); ++i)
        text += std::to_string(sequence.ids[i]) + (sequence.learned[i] ? "+" : " ");
      hash.add(text + "\n");
    }
  }
  return hash.hex();
}

LanguageData read_data(const Json& trainer, const BaseModel& base, const Asked& asked,
                       std::int64_t max_length, std::ostream& notes) {
  Parts parts = read_parts(trainer);
  const ExampleTokens tokens(base.tokenizer,
                             base.ends.empty() ? std::nullopt : std::optional(base.ends.front()),
                             base.path.string());
  LanguageData data;
  data.facts = {{"split", parts.split}};
  data.training = tokens_of(tokens, parts.training, max_length, "training", data.facts, notes);
  data.validation = tokens_of(tokens, parts.validation, max_length, "validation", data.facts, notes);
  data.test = tokens_of(tokens, parts.test, max_length, "test", data.facts, notes);
  data.fingerprint = print_of(data);
  data.facts["fingerprint"] = data.fingerprint;
  if (!asked.values.flag("predict_with_generate")) return data;
  const auto most = static_cast<std::size_t>(asked.values.integer("generated_examples"));
  for (const Example& example : parts.validation) {
    const std::string wanted = ExampleTokens::wanted_of(example);
    if (wanted.empty() || data.prompts.size() == most) continue;
    data.prompts.push_back(tokens.prompt_of(example));
    data.wanted.push_back(wanted);
  }
  if (data.prompts.empty())
    throw Error(ExitCode::kBadSpec,
                "predict_with_generate is true, yet no example of a validation set has a prompt",
                "leave it out, or give prompts and completions to validate on");
  return data;
}

// What the trial starts from: a base, and an adapter on it where it names one.
struct Start {
  fs::path base, adapter;
};
Start start_of(const Json& trainer) {
  Start start{loop::text_key(trainer, "weights", ""), loop::text_key(trainer, "adapter", "")};
  if (start.base.empty())
    throw Error(ExitCode::kBadSpec, "trainer.weights is missing",
                R"(name the base: a Hugging Face folder or a .gguf file, as in "weights": "SmolLM2-135M")");
  if (!is_adapter_folder(start.base)) return start;
  if (!start.adapter.empty())
    throw Error(ExitCode::kBadSpec, "trainer.weights is an adapter, and trainer.adapter names another one",
                "name the base in trainer.weights");
  start.adapter = start.base;
  start.base = read_adapter_config(start.adapter).base;
  std::error_code ignored;
  if (start.base.empty() || !fs::exists(start.base, ignored))
    throw Error(
        ExitCode::kNotFound,
        start.adapter.string() + ": an adapter of \"" + start.base.string() + "\", which is not there",
        "name the base in trainer.weights, and the adapter in trainer.adapter");
  return start;
}

}  // namespace

OrderedJson trainer_keys() {
  OrderedJson model =
      loop::trainer_key("model", "choice", "the kind of the base, which must be that; auto: whatever it is");
  model["values"] = {"auto"};
  for (const Family& family : families()) model["values"].push_back(family.name);
  model["default"] = "auto";
  OrderedJson split = loop::trainer_key(
      "split", "object", "how data is cut where no file validates; fractions [1, 0]: nothing validates");
  split["keys"] = OrderedJson::array(
      {loop::trainer_key("fractions", "fractions",
                         "of training, validation and, if three, test: 0.8, 0.2 without it"),
       loop::trainer_key("seed", "count", "of the cut: 0 without it")});
  return OrderedJson::array(
      {model, loop::recipe_key(language_model_recipes()),
       loop::trainer_key("weights", "path",
                         "the base: a Hugging Face folder, a .gguf file, or a promoted model"),
       loop::trainer_key("adapter", "path",
                         "a folder with an adapter (PEFT's, or a promoted one) that is trained on"),
       loop::trainer_key("data", "path",
                         "a CSV or JSON Lines file of prompts and completions, conversations or texts"),
       loop::trainer_key("validation", "path", "another such file, in place of a part of data"),
       loop::trainer_key("test", "path", "another such file, measured once, for the model that is exported"),
       split,
       loop::trainer_key("template", "path",
                         R"(a JSON file {"prompt": "..{column}..", "completion": "..{column}.."})"),
       loop::trainer_key("prompt_column", "text", "the column of prompts: prompt without it"),
       loop::trainer_key("completion_column", "text", "the column of completions: completion without it")});
}

LanguageModelParts parts_of(const loop::TrialFile& trial, const loop::Compute& compute, std::ostream& notes) {
  LanguageModelParts parts{.asked = asked_of(trial.parameters, compute.device.is_cuda())};
  for (const std::string& note : parts.asked.notes) notes << "note: " << note << std::endl;
  const Start start = start_of(trial.trainer);
  parts.base = std::make_shared<BaseModel>(open_base(start.base, notes));
  const std::string model = loop::text_key(trial.trainer, "model", "auto");
  if (model != "auto" && model != parts.base->family->name)
    throw Error(ExitCode::kBadSpec,
                "trainer.model is \"" + model + "\", yet " + start.base.string() + " is a " +
                    parts.base->family->name,
                "leave trainer.model out, or name the base that it is");
  parts.max_length = max_length_of(*parts.base, parts.asked.values.integer("max_length"), notes);
  parts.data = read_data(trial.trainer, *parts.base, parts.asked, parts.max_length, notes);
  const bool adapts = parts.asked.lora.has_value();
  const bool half = adapts && compute.precision == loop::Precision::kBf16;
  parts.decoder =
      load_decoder(*parts.base, half ? at::kBFloat16 : at::kFloat, adapts ? Held::kAsInFile : Held::kDense);
  torch::manual_seed(trial.seed);
  if (!start.adapter.empty()) {
    if (!adapts)
      throw Error(ExitCode::kBadSpec, "use_lora is false, yet an adapter is to be trained on",
                  "leave one of them out");
    const LoraSettings asked = *parts.asked.lora;
    parts.asked.lora = load_adapter(parts.decoder, kTrainedAdapter, start.adapter, start.base.string());
    parts.adapter = start.adapter.string();
    if (trial.parameters.contains("lora_config") && to_json(asked) != to_json(*parts.asked.lora))
      throw Error(ExitCode::kBadSpec,
                  "lora_config asks for another adapter than " + start.adapter.string() +
                      " is: " + to_json(asked).dump(),
                  "leave lora_config out: the adapter brings its own");
  } else if (adapts) {
    add_adapter(parts.decoder, kTrainedAdapter, *parts.asked.lora);
  }
  return parts;
}

}  // namespace tune::trainer::language_model
