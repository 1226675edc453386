// `tune-train evaluate`: how well a language model foretells the completions of a data set.
#include <chrono>
#include <cmath>
#include <sstream>

#include "trainer/loop/model_facts.h"
#include "trainer/loop/recipe.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/language_model/data/answer_scores.h"
#include "trainer/tasks/language_model/generation.h"
#include "trainer/tasks/language_model/model_folder.h"
#include "trainer/tasks/language_model/offer_options.h"
#include "trainer/tasks/language_model/offers.h"
#include "trainer/tasks/language_model/token_batches.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

constexpr std::int64_t kUsualLength = 1024, kEvaluatedAtOnce = 8;

loop::Answer answer_evaluate(const loop::Request& request) {
  const loop::Compute compute = loop::compute_for(loop::threads_for(request));
  OpenedModel model = asked_model(request);
  const std::int64_t positions = model.base->shape.positions;
  const std::int64_t usual = model.max_length > 0 ? model.max_length : std::min(kUsualLength, positions),
                     length = request.integer("max-length", 2, positions, std::min(usual, positions));
  const std::vector<Example> examples = read_examples(request.text("data"), example_form(request));
  const TokenSequences made = model.tokens().of(examples, length);
  if (made.cut > 0)
    request.notes << "warning: " << made.cut << " examples cut at " << length << " tokens, by "
                  << made.cut_tokens << std::endl;
  if (made.sequences.empty())
    throw Error(ExitCode::kBadData,
                made.first_dropped + ": its prompt alone fills " + std::to_string(length) + " tokens",
                "give a larger --max-length");
  model.decoder->to(compute.device);
  const auto begin = std::chrono::steady_clock::now();
  const auto measures =
      measure_tokens(model.decoder, made.sequences, kEvaluatedAtOnce, compute.device, loop::stop_requested);
  if (!measures) throw Error(ExitCode::kInterrupted, "interrupted");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  OrderedJson json{{"schema", 1},
                   {"loss", measures->loss},
                   {"perplexity", std::exp(measures->loss)},
                   {"token_accuracy", measures->token_accuracy},
                   {"tokens", measures->tokens},
                   {"examples", made.sequences.size()},
                   {"cut_examples", made.cut},
                   {"dropped_examples", made.dropped}};
  if (request.has("generate")) {
    std::vector<std::vector<std::int64_t>> prompts;
    std::vector<std::string> wanted, texts;
    const ExampleTokens tokens = model.tokens();
    for (const Example& example : examples) {
      if (ExampleTokens::wanted_of(example).empty()) continue;
      prompts.push_back(tokens.prompt_of(example));
      wanted.push_back(ExampleTokens::wanted_of(example));
    }
    for (const GeneratedAnswer& answer :
         generate(model.decoder, model.base->tokenizer, model.base->ends, prompts,
                  generation_settings(request), kEvaluatedAtOnce, compute.device, loop::stop_requested))
      texts.push_back(answer.text);
    if (texts.size() != wanted.size()) throw Error(ExitCode::kInterrupted, "interrupted");
    const AnswerScores scores = answer_scores(texts, wanted);
    json["exact_match"] = scores.exact_match;
    json["rouge_l"] = scores.rouge_l;
  }
  json["tokens_per_second"] = static_cast<double>(measures->tokens) / seconds;
  if (request.as_json) return {json, ""};
  std::ostringstream text;
  for (const char* key : {"loss", "perplexity", "token_accuracy", "exact_match", "rouge_l"})
    if (json.contains(key)) text << key << ' ' << loop::fixed_point(json[key].get<double>()) << '\n';
  text << "over " << measures->tokens << " tokens of " << made.sequences.size() << " examples\n";
  return {{}, text.str()};
}

}  // namespace

loop::Offer evaluate_offer() {
  std::vector<loop::Option> options = model_options();
  options.push_back(
      {"data", "DATA", "a CSV or JSON Lines file of prompts and completions, conversations or texts", true});
  options.push_back({"max-length", "N", "tokens of an example; without it as in training"});
  options.push_back({"generate", "", "generates answers too: exact match and ROUGE-L"});
  for (const auto& more : {example_options(), generation_options()})
    options.insert(options.end(), more.begin(), more.end());
  return {"evaluate", options, answer_evaluate, true,
          "mean loss of the completions' tokens, its exponential, the share of tokens that are the most "
          "probable one"};
}

}  // namespace tune::trainer::language_model
