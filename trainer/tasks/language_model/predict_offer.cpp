// `tune-train predict`: what a language model answers.
#include <chrono>

#include "trainer/loop/model_facts.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/language_model/generation.h"
#include "trainer/tasks/language_model/model_folder.h"
#include "trainer/tasks/language_model/offer_options.h"
#include "trainer/tasks/language_model/offers.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::language_model {
namespace {

constexpr std::int64_t kAnsweredAtOnce = 8;

std::vector<Example> examples_of(const loop::Request& request) {
  if (request.has("prompt") == request.has("data"))
    throw Error(
        ExitCode::kUsage,
        request.has("data") ? "--prompt is given beside --data" : "neither --data nor --prompt is given",
        "give one of them");
  if (request.has("data")) {
    if (!request.has("output"))
      throw Error(ExitCode::kUsage, "--output is missing", "name a file for the answers to --data");
    ExampleForm form = example_form(request);
    form.needs_completions = false;
    return read_examples(request.text("data"), form);
  }
  std::vector<Example> examples;
  for (const std::string& prompt : request.values.at("prompt")) {
    Example example{.place = "--prompt"};
    if (request.has("chat"))
      example.messages = {{"user", prompt}};
    else
      example.prompt = prompt;
    examples.push_back(std::move(example));
  }
  return examples;
}

loop::Answer answer_predict(const loop::Request& request) {
  const std::vector<Example> examples = examples_of(request);
  const loop::Compute compute = loop::compute_for(loop::threads_for(request));
  OpenedModel model = asked_model(request);
  model.decoder->to(compute.device);
  const ExampleTokens tokens = model.tokens();
  std::vector<std::vector<std::int64_t>> prompts;
  for (const Example& example : examples) {
    prompts.push_back(tokens.prompt_of(example));
    const auto length = static_cast<std::int64_t>(prompts.back().size());
    if (length == 0 || length >= model.base->shape.positions)
      throw Error(
          ExitCode::kBadData,
          example.place + ": the prompt has " + std::to_string(length) + " tokens, and the model sees " +
              std::to_string(model.base->shape.positions) + " with its answer",
          length == 0 ? "say something" : "shorten the prompt, or take a model with a longer context");
  }
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<GeneratedAnswer> answers =
      generate(model.decoder, model.base->tokenizer, model.base->ends, prompts, generation_settings(request),
               kAnsweredAtOnce, compute.device, loop::stop_requested);
  if (answers.empty() && !prompts.empty()) throw Error(ExitCode::kInterrupted, "interrupted");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::string lines, plain;
  std::int64_t made = 0;
  OrderedJson list = OrderedJson::array();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    OrderedJson row;
    if (examples[i].messages.empty())
      row["prompt"] = examples[i].prompt;
    else
      for (const Message& message : examples[i].messages)
        row["messages"].push_back({{"role", message.role}, {"content", message.content}});
    row["answer"] = answers[i].text;
    row["finish_reason"] = answers[i].is_complete ? "stop" : "length";
    row["tokens"] = answers[i].ids.size();
    made += static_cast<std::int64_t>(answers[i].ids.size());
    lines += row.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
    plain += answers[i].text + "\n";
    list.push_back(std::move(row));
  }
  if (request.has("output")) write_file_atomically(request.text("output"), lines);
  OrderedJson json{{"schema", 1},
                   {"examples", answers.size()},
                   {"tokens", made},
                   {"seconds", seconds},
                   {"device", compute.device.str()}};
  if (request.has("output"))
    json["output"] = request.text("output");
  else
    json["answers"] = list;
  if (request.has("output"))
    return {json,
            "answers to " + std::to_string(answers.size()) + " prompts: " + request.text("output") + "\n"};
  return {json, plain};
}

}  // namespace

loop::Offer predict_offer() {
  std::vector<loop::Option> options = model_options();
  options.push_back({"data", "DATA", "a CSV or JSON Lines file with prompts or conversations"});
  options.push_back({"prompt", "TEXT", "a prompt, in place of --data; several may be given", false, true});
  options.push_back({"chat", "", "--prompt is what a user says, in the model's chat template"});
  options.push_back({"output", "FILE", "JSON Lines to write, an answer each"});
  for (const auto& more : {example_options(), generation_options()})
    options.insert(options.end(), more.begin(), more.end());
  return {"predict", options, answer_predict, true, "what was written, or the answers to --prompt"};
}

}  // namespace tune::trainer::language_model
