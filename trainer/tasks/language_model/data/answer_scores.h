#pragma once
// How near generated answers are to those that were wanted.
#include <string>
#include <vector>

namespace tune::trainer::language_model {

// Equal but for white space at both ends.
bool is_exact(const std::string& answer, const std::string& wanted);

// ROUGE-L (Lin, 2004), as the package rouge-score computes it without stemming: words are runs of a-z and 0-9
// in lower case; the F1 of the longest common subsequence; 0 where one side has no words.
double rouge_l(const std::string& answer, const std::string& wanted);

struct AnswerScores {
  double exact_match = 0, rouge_l = 0;  // means: 0 to 1
};
// Of as many answers as there are wanted.
AnswerScores answer_scores(const std::vector<std::string>& answers, const std::vector<std::string>& wanted);

}  // namespace tune::trainer::language_model
