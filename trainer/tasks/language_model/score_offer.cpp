// `tune-train score`: how near anybody's answers are to those that were wanted.
#include <sstream>

#include "trainer/data/table.h"
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

OrderedJson to_json(const AnswerScores& scores, std::size_t examples) {
  return {{"schema", 1},
          {"rouge_l", scores.rouge_l},
          {"exact_match", scores.exact_match},
          {"examples", examples}};
}

loop::Answer answer_score(const loop::Request& request) {
  const std::string truth = request.text("ground-truth");
  std::vector<std::string> wanted;
  for (const Example& example : read_examples(truth, example_form(request)))
    wanted.push_back(ExampleTokens::wanted_of(example));
  OrderedJson all = OrderedJson::array();
  std::ostringstream text;
  for (const std::string& file : request.values.at("predictions")) {
    const std::vector<std::string> answers = answers_in(file);
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
      {"predictions", "FILE", "answers as `predict` writes them", true, true}};
  const std::vector<loop::Option> more = example_options();
  options.insert(options.end(), more.begin(), more.end());
  return {"score", options, answer_score, false, "exact match and ROUGE-L, 0 to 1"};
}

}  // namespace tune::trainer::language_model
