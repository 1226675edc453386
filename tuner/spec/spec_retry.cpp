// The section `retry` of a spec.
#include <algorithm>

#include "tuner/core/edit_distance.h"
#include "tuner/spec/spec_sections.h"

namespace tune {
namespace {

bool is_count(const Json& value) { return value.is_number_integer() && value >= 1; }

// What is known of a hyperparameter that a step changes.
struct Changeable {
  bool is_count = false;   // all its values are whole numbers from 1
  bool is_number = false;  // it takes numbers only
  bool is_whole = false;   // and of these whole ones only
  bool is_parent = false;  // others are active or not by its value
};

std::map<std::string, Changeable> changeable(const Spec& spec, const ReadParameters& read) {
  std::map<std::string, Changeable> all;
  for (const auto& [name, value] : spec.fixed.items())
    all[name] = {.is_count = is_count(Json(value)), .is_number = value.is_number()};
  for (const auto& [name, parameter] : read.sound) {
    Changeable& one = all[name];
    const bool is_category = parameter.type == ParameterType::kCategorical;
    one.is_number = !is_category;
    one.is_whole = parameter.type == ParameterType::kInt;
    one.is_count = is_category ? std::all_of(parameter.values.begin(), parameter.values.end(), is_count)
                               : one.is_whole && parameter.min >= 1;
  }
  for (const auto& [name, parameter] : read.sound)
    for (const Condition& condition : parameter.when) all[condition.parent].is_parent = true;
  return all;
}

// "half" and "double" are values like others of what has texts as its values.
std::optional<Rescale> rescale_in(const Json& value, const Changeable& what) {
  if (!value.is_string() || !(what.is_number || what.is_count)) return std::nullopt;
  if (value == "half") return Rescale::kHalf;
  if (value == "double") return Rescale::kDouble;
  return std::nullopt;
}

std::optional<Replacement> read_replacement(const std::string& name, const Json& value,
                                            const std::map<std::string, Changeable>& known,
                                            const std::string& pointer, SpecProblems& problems) {
  const auto found = known.find(name);
  if (found == known.end()) {
    std::vector<std::string> names;
    for (const auto& [each, what] : known) names.push_back(each);
    problems.add_at_key(pointer, in_quotes(name) + " is neither a parameter nor a fixed value",
                        name_hint(name, names, "there are"));
    return std::nullopt;
  }
  const Changeable& what = found->second;
  if (what.is_parent) {
    problems.add_at_key(pointer,
                        "other parameters depend on " + in_quotes(name) + ", so it cannot change here",
                        "change what nothing depends on");
    return std::nullopt;
  }
  if (const auto by = rescale_in(value, what)) {
    if (what.is_count) return Replacement{name, *by};
    problems.add(pointer,
                 in_quotes(name) + " is not a whole number from 1, so it cannot be halved or doubled",
                 "give a value, or change a count such as the batch size");
    return std::nullopt;
  }
  const bool fits = !what.is_number || (what.is_whole ? value.is_number_integer() : value.is_number());
  if (fits) return Replacement{name, value};
  problems.add(pointer, in_quotes(name) + " takes " + (what.is_whole ? "whole numbers" : "numbers"),
               "give one, or \"half\" or \"double\"");
  return std::nullopt;
}

std::vector<RetryStep> read_ladder(const Spec& spec, const ReadParameters& read, SpecProblems& problems) {
  std::vector<RetryStep> ladder;
  const OrderedJson* list = problems.find("/retry/out_of_memory");
  if (list == nullptr) return ladder;
  const std::map<std::string, Changeable> known = changeable(spec, read);
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string pointer = element_pointer("/retry/out_of_memory", i) + "/set";
    const OrderedJson* set = problems.find(pointer);
    if (set == nullptr) continue;
    RetryStep& step = ladder.emplace_back();
    for (const auto& [name, value] : set->items())
      if (auto replacement =
              read_replacement(name, Json(value), known, member_pointer(pointer, name), problems))
        step.push_back(std::move(*replacement));
  }
  return ladder;
}

}  // namespace

Retry read_retry(const Spec& spec, const ReadParameters& read, SpecProblems& problems) {
  Retry retry;
  retry.out_of_memory = read_ladder(spec, read, problems);
  if (const auto tries = read_value<int>(problems, "/retry/infrastructure/tries"))
    retry.infrastructure = *tries;
  if (const auto backoff = read_value<std::string>(problems, "/retry/infrastructure/backoff"))
    retry.backoff = parse_duration(*backoff);
  return retry;
}

}  // namespace tune
