#include "tuner/report/text/trial_condition.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tuner/core/characters.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/number_text.h"
#include "tuner/core/visible_text.h"

namespace tune::report {
namespace {

constexpr std::array kStates{"queued", "running", "paused", "completed", "stopped", "failed", "deleted"};
constexpr std::array<std::string_view, 7> kComparisons{"<", "<=", ">", ">=", "=", "!=", "~"};

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

template <typename T>
bool compares(const T& value, const std::string& comparison, const T& other) {
  if (comparison == "<") return value < other;
  if (comparison == "<=") return value <= other;
  if (comparison == ">") return value > other;
  if (comparison == ">=") return value >= other;
  return comparison == "=" ? value == other : value != other;
}

}  // namespace

bool TrialCondition::holds_for(double value) const {
  if (std::isnan(value) || !number || comparison == "~") return comparison == "!=";
  return compares(value, comparison, *number);
}

bool TrialCondition::holds_for(const std::string& value) const {
  if (comparison == "~") return lower_case(value).find(lower_case(text)) != std::string::npos;
  if (value.empty() && comparison != "=") return comparison == "!=";
  // Labels may be numbers: 8, 16, 32.
  const std::optional<double> own = number ? finite_number_in(value) : std::nullopt;
  return own ? compares(*own, comparison, *number) : compares(value, comparison, text);
}

TrialCondition parse_trial_condition(std::string_view text) {
  TrialCondition condition;
  if (const std::size_t begin = text.find_first_of("<>=!~"); begin != std::string_view::npos) {
    const std::size_t size = text.substr(begin + 1, 1) == "=" ? 2 : 1;
    condition.column = trimmed(text.substr(0, begin));
    condition.comparison = text.substr(begin, size);
    condition.text = trimmed(text.substr(begin + size));
    condition.number = finite_number_in(condition.text);
    if (condition.comparison == "==") condition.comparison = "=";
  }
  const bool is_known =
      std::find(kComparisons.begin(), kComparisons.end(), condition.comparison) != kComparisons.end();
  if (!is_known || condition.column.empty())
    throw Error(ExitCode::kUsage, in_quotes(trimmed(text)) + " is no condition",
                "write NAME<VALUE, with <, <=, >, >=, =, != or ~ (contains): lr<1e-3, optimizer=sgd");
  return condition;
}

void require_trial_state(const std::string& state) {
  if (std::find(kStates.begin(), kStates.end(), state) != kStates.end()) return;
  throw Error(ExitCode::kUsage, in_quotes(state) + " is no state of a trial",
              name_hint(state, {kStates.begin(), kStates.end()}, "its states are"));
}

}  // namespace tune::report
