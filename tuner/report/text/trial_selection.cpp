#include "tuner/report/text/trial_selection.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/report/text/trial_condition.h"

namespace tune::report {
namespace {

constexpr std::array kFacts{"trial",   "state",   "value", "value2",  "budget", "attempts", "seconds",
                            "created", "started", "ended", "failure", "reason", "note"};

// "infinity" and the like are texts in JSON.
Json cell_of(const Json& trial, const std::string& column) {
  if (column == "value2") {
    const Json& values = trial.at("values");
    return values.size() > 1 ? values[1] : Json();
  }
  if (column == "state" && !trial.at("deleted").is_null()) return "deleted";
  for (const char* fact : kFacts)
    if (column == fact) return trial.value(column, Json());
  for (const char* group : {"parameters", "metrics"})
    if (const auto found = trial.at(group).find(column); found != trial.at(group).end()) return *found;
  return {};
}

// The column of that name; an objective's metric is the trials' value.
std::string column_of(const Json& study, const std::string& name) {
  std::set<std::string> names(kFacts.begin(), kFacts.end());
  for (const Json& trial : study.at("trials"))
    for (const char* group : {"parameters", "metrics"})
      for (const auto& [known, value] : trial.at(group).items()) names.insert(known);
  if (names.contains(name) || study.at("trials").empty()) return name;
  const Json objectives = study.value("objectives", Json::array());
  const std::string first = study.at("metric"),
                    second = objectives.size() > 1 ? objectives[1].at("metric").get<std::string>() : "";
  if (name == first) return "value";
  if (!second.empty() && name == second) return "value2";
  names.insert(first);
  throw Error(ExitCode::kUsage, "the trials have no column " + in_quotes(name),
              name_hint(name, {names.begin(), names.end()}, "their columns are"));
}

std::string selection_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool fulfils(const Json& trial, const TrialCondition& condition) {
  const Json value = cell_of(trial, condition.column);
  if (value.is_null()) return condition.comparison == "!=";
  const bool are_numbers = value.is_number() && condition.number && condition.comparison != "~";
  return are_numbers ? condition.holds_for(value.get<double>()) : condition.holds_for(selection_text(value));
}

// Numbers before texts, and nothing last, whichever way it is sorted.
bool comes_before(const Json& a, const Json& b, bool is_descending) {
  const auto kind = [](const Json& value) { return value.is_null() ? 2 : value.is_number() ? 0 : 1; };
  if (kind(a) != kind(b)) return kind(a) < kind(b);
  const Json &first = is_descending ? b : a, &second = is_descending ? a : b;
  if (a.is_number()) return first.get<double>() < second.get<double>();
  return !a.is_null() && selection_text(first) < selection_text(second);
}

}  // namespace

std::vector<std::size_t> select_trials(const Json& study, const TrialSelection& selection) {
  const Json& trials = study.at("trials");
  for (const std::string& state : selection.states) require_trial_state(state);
  std::vector<TrialCondition> conditions;
  for (const std::string& text : selection.conditions) {
    TrialCondition condition = parse_trial_condition(text);
    condition.column = column_of(study, condition.column);
    conditions.push_back(std::move(condition));
  }
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::string state = selection_text(cell_of(trials[i], "state"));
    const bool has_state =
        selection.states.empty() ||
        std::find(selection.states.begin(), selection.states.end(), state) != selection.states.end();
    if (has_state && std::all_of(conditions.begin(), conditions.end(),
                                 [&](const TrialCondition& one) { return fulfils(trials[i], one); }))
      places.push_back(i);
  }
  const std::string sort = selection.sort.empty() ? "trial" : column_of(study, selection.sort);
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return comes_before(cell_of(trials[a], sort), cell_of(trials[b], sort), selection.is_descending);
  });
  if (selection.limit && places.size() > *selection.limit) places.resize(*selection.limit);
  return places;
}

}  // namespace tune::report
