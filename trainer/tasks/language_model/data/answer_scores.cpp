#include "trainer/tasks/language_model/data/answer_scores.h"

#include <algorithm>

#include "trainer/data/text_file.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  const auto end = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text)
    if (is_letter_or_digit(c))
      word += lower_case(c);
    else
      end();
  end();
  return words;
}

std::size_t longest_common(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::size_t> row(b.size() + 1, 0);
  for (const std::string& word : a) {
    std::size_t diagonal = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
      const std::size_t above = row[i + 1];
      row[i + 1] = word == b[i] ? diagonal + 1 : std::max(above, row[i]);
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

bool is_exact(const std::string& answer, const std::string& wanted) {
  return data::trimmed(answer) == data::trimmed(wanted);
}

double rouge_l(const std::string& answer, const std::string& wanted) {
  const std::vector<std::string> a = words_of(answer), b = words_of(wanted);
  if (a.empty() || b.empty()) return 0;
  const auto common = static_cast<double>(longest_common(a, b));
  const double precision = common / static_cast<double>(a.size()),
               recall = common / static_cast<double>(b.size());
  return common == 0 ? 0 : 2 * precision * recall / (precision + recall);
}

AnswerScores answer_scores(const std::vector<std::string>& answers, const std::vector<std::string>& wanted) {
  TUNE_CHECK(answers.size() == wanted.size(), "an answer for each that is wanted");
  AnswerScores scores;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    scores.exact_match += is_exact(answers[i], wanted[i]) ? 1 : 0;
    scores.rouge_l += rouge_l(answers[i], wanted[i]);
  }
  const auto count = static_cast<double>(std::max<std::size_t>(1, answers.size()));
  return {scores.exact_match / count, scores.rouge_l / count};
}

}  // namespace tune::trainer::language_model
