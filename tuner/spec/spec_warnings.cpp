// What is allowed, but likely not meant.
#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "tuner/core/characters.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/space.h"
#include "tuner/spec/placeholder.h"
#include "tuner/spec/spec_sections.h"

namespace tune {
namespace {

constexpr std::array kLessIsBetter{"loss", "error", "entropy", "perplexity", "rmse", "mae", "mse"};
constexpr std::array kMoreIsBetter{"accuracy",  "acc",    "map",   "f1",  "auc",
                                   "precision", "recall", "score", "iou", "bleu"};

// The lower-case words of a name: "validation:mAP_50" has validation, map and 50.
std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    if (is_letter_or_digit(c))
      words.back() += lower_case(c);
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

void warn_of_direction(const Objective& objective, const std::string& pointer, SpecProblems& problems) {
  const bool maximizes = objective.goal == Goal::kMaximize;
  const auto words = words_of(objective.metric);
  const char* less = known_word(words, kLessIsBetter);
  const char* more = known_word(words, kMoreIsBetter);
  if (maximizes && less != nullptr)
    problems.warn(pointer + "/goal",
                  in_quotes(objective.metric) + " is maximized, but its name says that less is better",
                  "check the goal");
  else if (!maximizes && more != nullptr && less == nullptr)
    problems.warn(pointer + "/goal",
                  in_quotes(objective.metric) + " is minimized, but its name says that more is better",
                  "check the goal");
  if ((maximizes && objective.reduce == Reduce::kMin) || (!maximizes && objective.reduce == Reduce::kMax))
    problems.warn(pointer + "/reduce", "a trial's result is its worst value, not its best",
                  "use \"best\" or \"last\"");
}

// The beginning of a script that the command names; empty for programs and for what is no file.
std::string script_text(const std::filesystem::path& path) {
  constexpr std::size_t kLooked = 1 << 20;
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return {};
  std::ifstream file(path, std::ios::binary);
  std::string text(kLooked, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text.find('\0') == std::string::npos ? text : std::string();
}

// What the program is told by the command, and whether it may know the parameters from trial.json instead.
struct Passed {
  std::set<std::string> names;
  bool reads_trial_file = false, names_script = false;
};

Passed passed_by(const Spec& spec) {
  constexpr const char* kVariable = "TUNE_TRIAL";
  Passed passed;
  for (const std::string& element : spec.command) {
    for (const Placeholder& placeholder : find_placeholders(element)) {
      passed.names.insert(placeholder.name);
      passed.reads_trial_file |= placeholder.name == "trial_file";
    }
    const std::string script = element.empty() ? "" : script_text(spec.folder / element);
    passed.names_script |= !script.empty();
    for (const std::string& text : {element, script})
      passed.reads_trial_file |=
          text.find(kVariable) != std::string::npos || text.find("trial.json") != std::string::npos;
  }
  return passed;
}

// trial.json holds every parameter, so a program that may read it is left alone: one that is named none of
// them and is no script that could be looked into.
void warn_of_unpassed(const Spec& spec, SpecProblems& problems) {
  if (spec.command.empty()) return;
  const Passed passed = passed_by(spec);
  const auto is_passed = [&](const Parameter& parameter) { return passed.names.contains(parameter.name); };
  const auto& parameters = spec.space.parameters();
  const bool names_some = std::any_of(parameters.begin(), parameters.end(), is_passed);
  if (passed.reads_trial_file || (!names_some && !passed.names_script)) return;
  // What decides whether a parameter is passed reaches the program by that.
  std::set<std::string> deciding;
  const auto& order = spec.space.dependency_order();
  for (auto index = order.rbegin(); index != order.rend(); ++index)
    if (is_passed(parameters[*index]) || deciding.contains(parameters[*index].name))
      for (const Condition& condition : parameters[*index].when) deciding.insert(condition.parent);
  for (const Parameter& parameter : parameters) {
    if (is_passed(parameter) || deciding.contains(parameter.name)) continue;
    problems.warn(member_pointer("/parameters", parameter.name),
                  in_quotes(parameter.name) + " is never passed to the command",
                  "add \"--" + parameter.name + "={{" + parameter.name +
                      "}}\" to it; of no matter if the program reads the file that $TUNE_TRIAL_FILE names");
  }
}

// A program that is a script is left alone where it names these lines.
void warn_of_no_pattern(const Spec& spec, SpecProblems& problems) {
  constexpr const char* kLine = "TUNE_METRIC";
  if (spec.command.empty() || !spec.metrics.empty()) return;
  for (const std::string& element : spec.command)
    if (element.find(kLine) != std::string::npos ||
        (!element.empty() && script_text(spec.folder / element).find(kLine) != std::string::npos))
      return;
  problems.warn(
      "/command",
      "no metric has a pattern, so the program has to print TUNE_METRIC lines, or every trial fails",
      "give \"metrics\" a regex, or print: TUNE_METRIC {\"name\": \"" + spec.objective.metric +
          "\", \"value\": 0.41}");
}

// Without parameters there is nothing but repeating.
void warn_of_small_space(const Spec& spec, SpecProblems& problems) {
  if (spec.space.size() == 0 || !spec.limits.trials) return;
  const bool is_grid = spec.strategy.name == "grid";
  const std::size_t points = (is_grid ? grid_space(spec.space) : spec.space).cardinality();
  if (points == 0 || points >= static_cast<std::size_t>(*spec.limits.trials)) return;
  const std::string has = plural_text(points, "point");
  problems.warn("/limits/trials",
                std::string(is_grid ? "the grid" : "the space") + " has only " + has +
                    ", and limits.trials is " + std::to_string(*spec.limits.trials) +
                    (is_grid ? ": when all have been tried, the study ends"
                             : ": when all have been tried, the other trials repeat them"),
                "set limits.trials to " + std::to_string(points) +
                    (is_grid ? ", or give the parameters more levels" : ", or widen the ranges"));
}

}  // namespace

void add_warnings(const Spec& spec, SpecUse use, SpecProblems& problems) {
  warn_of_direction(spec.objective, spec.second_objective ? "/objectives/0" : "/objective", problems);
  if (spec.second_objective) warn_of_direction(*spec.second_objective, "/objectives/1", problems);
  if (use == SpecUse::kRun) warn_of_unpassed(spec, problems);
  if (use == SpecUse::kRun) warn_of_no_pattern(spec, problems);
  if (use == SpecUse::kAskTell && problems.contains("/retry"))
    problems.warn("/retry", "ask-tell starts no attempts, so it tries none again",
                  "leave it out; who runs a trial may run it again before it is told");
  if (use == SpecUse::kAskTell && problems.contains("/notify"))
    problems.warn("/notify", "ask-tell tells nobody: its own program knows what has happened",
                  "leave it out");
  for (const Parameter& parameter : spec.space.parameters())
    // One with a condition is a switch: it is there or not.
    if (parameter.cardinality() == 1 && parameter.when.empty())
      problems.warn(member_pointer("/parameters", parameter.name),
                    in_quotes(parameter.name) + " has only one value", "move it to \"fixed\"");
  warn_of_small_space(spec, problems);
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
