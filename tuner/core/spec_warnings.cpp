// What is allowed, but likely not meant.
#include <algorithm>
#include <array>

#include "tuner/core/spec_sections.h"

namespace tune {
namespace {

constexpr std::array kLessIsBetter{"loss", "error", "entropy", "perplexity", "rmse", "mae", "mse"};
constexpr std::array kMoreIsBetter{"accuracy",  "acc",    "map",   "f1",  "auc",
                                   "precision", "recall", "score", "iou", "bleu"};

// The lower-case words of a name: "validation:mAP_50" has validation, map and 50.
std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_letter)
      words.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    else
      words.emplace_back();
  }
  return words;
}

template <typename List>
const char* known_word(const std::vector<std::string>& words, const List& list) {
  for (const char* known : list)
    if (std::find(words.begin(), words.end(), known) != words.end()) return known;
  return nullptr;
}

void warn_of_direction(const Objective& objective, SpecProblems& problems) {
  const bool maximizes = objective.goal == Goal::kMaximize;
  const auto words = words_of(objective.metric);
  const char* less = known_word(words, kLessIsBetter);
  const char* more = known_word(words, kMoreIsBetter);
  if (maximizes && less != nullptr)
    problems.warn("/objective/goal",
                  in_quotes(objective.metric) + " is maximized, but its name says that less is better",
                  "check the goal");
  else if (!maximizes && more != nullptr && less == nullptr)
    problems.warn("/objective/goal",
                  in_quotes(objective.metric) + " is minimized, but its name says that more is better",
                  "check the goal");
  if ((maximizes && objective.reduce == Reduce::kMin) || (!maximizes && objective.reduce == Reduce::kMax))
    problems.warn("/objective/reduce", "a trial's result is its worst value, not its best",
                  "use \"best\" or \"last\"");
}

}  // namespace

void add_warnings(const Spec& spec, SpecProblems& problems) {
  warn_of_direction(spec.objective, problems);
  for (const Parameter& parameter : spec.space.parameters())
    if (parameter.cardinality() == 1)
      problems.warn(member_pointer("/parameters", parameter.name),
                    in_quotes(parameter.name) + " has only one value", "move it to \"fixed\"");
  const Limits& limits = spec.limits;
  if (limits.trials && limits.parallel && *limits.parallel > *limits.trials)
    problems.warn("/limits/parallel", "more trials at once than trials at all", "");
  if (limits.trials && spec.strategy.try_first.size() > static_cast<std::size_t>(*limits.trials))
    problems.warn("/strategy/try_first", "there are more points to try first than trials",
                  "raise limits.trials");
  if (limits.time && limits.trial_time && *limits.trial_time > *limits.time)
    problems.warn("/limits/trial_time", "one trial may run longer than the whole study", "");
}

}  // namespace tune
