// `tune-train score`: how near anybody's answers are to those that were wanted.
#include <sstream>

#include "trainer/data/table.h"
#include "trainer/endpoint/asked_endpoint.h"
#include "trainer/loop/recipe.h"
#include "trainer/tasks/language_model/data/answer_scores.h"
#include "trainer/tasks/language_model/data/token_sequences.h"
#include "trainer/tasks/language_model/offer_options.h"
#include "trainer/tasks/language_model/offers.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

std::vector<std::string> answers_in(const std::string& file) {
  const data::Table table = data::read_table(file);
  const std::size_t column = table.column("answer", "the answers");
  std::vector<std::string> answers;
  for (const data::Row& row : table.rows) {
    const auto text = data::text_of(row.cells[column]);
    if (!text)
      throw Error(ExitCode::kBadData, table.place(row) + ": \"answer\" is no text",
                  "as `tune-train predict` writes them");
    answers.push_back(*text);
  }
  return answers;
}

// One example as OpenAI's protocol asks for its answer. What is drawn hangs on the seed alone, not on the
// place of the example.
endpoint::Question question_of(const Example& example, const std::string& model,
                               const GenerationSettings& settings) {
  OrderedJson body{{"model", model},
                   {"max_tokens", settings.max_new_tokens},
                   {"temperature", settings.temperature},
                   {"top_p", settings.top_p},
                   {"top_k", settings.top_k},
                   {"repetition_penalty", settings.repetition_penalty},
                   {"seed", settings.seed}};
  if (!settings.stops.empty()) body["stop"] = settings.stops;
  if (example.messages.empty()) {
    body["prompt"] = example.prompt;
  } else {
    body["messages"] = OrderedJson::array();
    for (const Message& message : ExampleTokens::before_answer(example))
      body["messages"].push_back({{"role", message.role}, {"content", message.content}});
  }
  return {"application/json", body.dump(-1, ' ', false, OrderedJson::error_handler_t::replace),
          example.messages.empty() ? "/v1/completions" : "/v1/chat/completions"};
}

// What a deployed model, or an adapter of it, answers to the examples.
std::vector<std::string> answers_of(const endpoint::AskedEndpoint& deployed, const loop::Request& request,
                                    const std::vector<Example>& examples) {
  const std::vector<std::string> models = deployed.models(request.interrupted);
  if (models.empty()) endpoint::refuse_answer(deployed, "it names no models");
  const std::string model = request.has("ask-for") ? request.text("ask-for") : models.front();
  const GenerationSettings settings = generation_settings(request);
  const auto question = [&](std::size_t i) { return question_of(examples[i], model, settings); };
  std::vector<std::string> answers;
  try {
    for (const Json& said : deployed.ask(examples.size(), question, request.interrupted)) {
      const Json& choice = said.at("choices").at(0);
      answers.push_back(choice.contains("message") ? choice.at("message").at("content") : choice.at("text"));
    }
  } catch (const Json::exception&) {
    endpoint::refuse_answer(deployed, "its answers hold no texts");
  }
  return answers;
}

OrderedJson to_json(const AnswerScores& scores, std::size_t examples) {
  return {{"schema", 1},
          {"rouge_l", scores.rouge_l},
          {"exact_match", scores.exact_match},
          {"examples", examples}};
}

loop::Answer answer_score(const loop::Request& request) {
  const std::string truth = request.text("ground-truth");
  const auto deployed = endpoint::endpoint_or_files(request, "predictions");
  if (request.has("ask-for") && !deployed)
    throw Error(ExitCode::kUsage, "--ask-for without --endpoint", "say who is asked: --endpoint URL");
  const std::vector<Example> examples = read_examples(truth, example_form(request));
  std::vector<std::string> wanted;
  for (const Example& example : examples) wanted.push_back(ExampleTokens::wanted_of(example));
  std::vector<std::pair<std::string, std::vector<std::string>>> said;
  if (request.has("predictions"))
    for (const std::string& file : request.values.at("predictions"))
      said.emplace_back(file, answers_in(file));
  if (deployed) said.emplace_back(deployed->url(), answers_of(*deployed, request, examples));
  OrderedJson all = OrderedJson::array();
  std::ostringstream text;
  for (const auto& [file, answers] : said) {
    if (answers.size() != wanted.size())
      throw Error(ExitCode::kBadData,
                  file + " has " + std::to_string(answers.size()) + " answers, and " + truth + " " +
                      std::to_string(wanted.size()) + " examples",
                  "score the answers to these examples, in their order");
    const OrderedJson scores = to_json(answer_scores(answers, wanted), wanted.size());
    text << file << ": exact match " << loop::fixed_point(scores["exact_match"].get<double>()) << ", ROUGE-L "
         << loop::fixed_point(scores["rouge_l"].get<double>()) << " over " << wanted.size() << " examples\n";
    all.push_back(scores);
  }
  if (all.size() == 1) return {all.front(), text.str()};
  return {{{"schema", 1}, {"scores", all}}, text.str()};
}

}  // namespace

loop::Offer score_offer() {
  std::vector<loop::Option> options{
      {"ground-truth", "DATA", "prompts and the completions that are wanted", true},
      {"predictions", "FILE", "answers as `predict` writes them", false, true}};
  for (const loop::Option& option : endpoint::endpoint_options()) options.push_back(option);
  options.push_back(
      {"ask-for", "NAME", "the adapter of the deployed model that is asked; the model as it is without it"});
  for (const auto& more : {example_options(), generation_options()})
    options.insert(options.end(), more.begin(), more.end());
  return {"score", options, answer_score, false, "exact match and ROUGE-L, 0 to 1"};
}

}  // namespace tune::trainer::language_model
