#include "trainer/tasks/language_model/offer_options.h"

namespace tune::trainer::language_model {

std::vector<loop::Option> example_options() {
  return {{"template", "FILE", R"(a JSON file {"prompt": "..{column}..", "completion": "..{column}.."})"},
          {"prompt-column", "NAME", "the column of prompts: prompt without it"},
          {"completion-column", "NAME", "the column of completions: completion without it"}};
}

ExampleForm example_form(const loop::Request& request) {
  ExampleForm form;
  if (request.has("template")) form.prompt_template = request.text("template");
  if (request.has("prompt-column")) form.prompt = request.text("prompt-column");
  if (request.has("completion-column")) form.completion = request.text("completion-column");
  return form;
}

std::vector<loop::Option> generation_options() {
  return {{"max-new-tokens", "N", "tokens of an answer at most: 128 without it"},
          {"temperature", "T", "0, as without it: the most probable token each time"},
          {"top-p", "P", "draws from the fewest tokens that have so much of the probability"},
          {"top-k", "K", "and from so many at most"},
          {"repetition-penalty", "F", "above 1: what was said before becomes less probable"},
          {"stop", "TEXT", "ends an answer, and is no part of it; several may be given", false, true},
          {"seed", "N", "of what is drawn: 0 without it"}};
}

GenerationSettings generation_settings(const loop::Request& request) {
  constexpr std::int64_t kMostTokens = 1 << 20;
  constexpr double kHottest = 100, kMostPenalty = 100;
  GenerationSettings settings;
  settings.max_new_tokens = request.integer("max-new-tokens", 1, kMostTokens, 128);
  settings.temperature = request.number("temperature", 0, kHottest, 0);
  settings.top_p = request.number("top-p", 0, 1, 1);
  settings.top_k = request.integer("top-k", 0, kMostTokens, 0);
  settings.repetition_penalty = request.number("repetition-penalty", 0.01, kMostPenalty, 1);
  settings.seed = static_cast<std::uint64_t>(request.integer("seed", 0, (std::int64_t{1} << 53), 0));
  if (request.has("stop")) settings.stops = request.values.at("stop");
  return settings;
}

}  // namespace tune::trainer::language_model
