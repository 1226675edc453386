#pragma once
// Conditions on columns of a table of trials, as people write them: "lr<1e-3", "reason~memory".
#include <optional>
#include <string>
#include <string_view>

namespace tune::report {

struct TrialCondition {
  std::string column;
  std::string comparison;  // "<", "<=", ">", ">=", "=", "!=", "~" (contains, in any case)
  std::string text;
  std::optional<double> number = std::nullopt;  // the text as one

  // Whether a trial fulfils it that has this value there. NaN, no value, fulfils "!=" alone. A text that is
  // no number equals none.
  bool holds_for(double value) const;
  // Of two numbers written as texts, the numbers are compared. An empty text, no value, fulfils "!=" alone,
  // and "=" where the condition's own is empty.
  bool holds_for(const std::string& value) const;
};

// Throws Error(kUsage) that names the text.
TrialCondition parse_trial_condition(std::string_view text);

// Error(kUsage), with what is near, unless it is a state of a trial, or "deleted".
void require_trial_state(const std::string& state);

}  // namespace tune::report
