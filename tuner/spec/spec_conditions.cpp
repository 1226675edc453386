// The conditions of parameters, and the points to try first.
#include <algorithm>
#include <map>

#include "tuner/core/edit_distance.h"
#include "tuner/spec/spec_sections.h"

namespace tune {
namespace {

std::vector<Json> alternatives(const OrderedJson& value) {
  if (!value.is_array()) return {Json(value)};
  return {value.begin(), value.end()};
}

bool is_known(const ReadParameters& read, const std::string& name) {
  return std::find(read.names.begin(), read.names.end(), name) != read.names.end();
}

// The parameter that is asked for, or the reason why there is none.
std::string unknown_parameter_hint(const std::string& name, const ReadParameters& read,
                                   const SpecProblems& problems) {
  if (problems.contains(member_pointer("/fixed", name)))
    return "it is fixed; move it to parameters, or drop this";
  return name_hint(name, read.names, "the parameters are");
}

bool check_parent(const std::string& child, const std::string& parent, const std::string& pointer,
                  const ReadParameters& read, SpecProblems& problems) {
  if (parent == child)
    problems.add_at_key(pointer, "a parameter cannot depend on itself");
  else if (!is_known(read, parent))
    problems.add_at_key(pointer, in_quotes(parent) + " is not a parameter",
                        unknown_parameter_hint(parent, read, problems));
  else
    return true;
  return false;
}

bool check_alternatives(const Condition& condition, bool is_list, const std::string& pointer,
                        const ReadParameters& read, SpecProblems& problems) {
  if (condition.any_of.empty()) {
    problems.add(pointer, "the list of values is empty, so this parameter could never be active");
    return false;
  }
  const auto parent = read.sound.find(condition.parent);
  if (parent == read.sound.end()) return true;
  if (parent->second.cardinality() == 0) {
    problems.add(pointer,
                 in_quotes(condition.parent) + " is continuous, so it hardly ever has one exact value",
                 "depend on a categorical or an int, or give it a step");
    return false;
  }
  bool sound = true;
  for (std::size_t i = 0; i < condition.any_of.size(); ++i) {
    const auto objection = parent->second.objection(condition.any_of[i]);
    if (!objection) continue;
    problems.add(is_list ? element_pointer(pointer, i) : pointer,
                 "a value that " + in_quotes(condition.parent) + " never has: " + *objection);
    sound = false;
  }
  return sound;
}

using SoundParameter = std::map<std::string, Parameter>::const_iterator;

// Walks from children to parents, depth first, and looks at each parameter once.
class CycleSearch {
 public:
  explicit CycleSearch(const ReadParameters& read) : read_(read) {}

  // The names of a cycle that `name` leads to, as "a -> b -> a"; empty when there is none, or when an earlier
  // search passed it.
  std::string from(const std::string& name) {
    visit(name);
    while (!path_.empty()) {
      const auto& when = path_.back().parameter->second.when;
      if (path_.back().next == when.size()) {
        states_[path_.back().parameter->first] = State::kDone;
        path_.pop_back();
        continue;
      }
      const std::string& parent = when[path_.back().next++].parent;
      if (states_[parent] == State::kOnPath) return cycle_from(parent);
      visit(parent);
    }
    return {};
  }

 private:
  enum class State { kNew, kOnPath, kDone };
  struct Step {
    SoundParameter parameter;
    std::size_t next;  // of its conditions
  };

  void visit(const std::string& name) {
    const SoundParameter parameter = read_.sound.find(name);
    if (parameter == read_.sound.end() || states_[name] != State::kNew) return;
    states_[name] = State::kOnPath;
    path_.push_back({parameter, 0});
  }

  std::string cycle_from(const std::string& name) const {
    std::string text;
    for (const Step& step : path_)
      if (!text.empty() || step.parameter->first == name) text += step.parameter->first + " -> ";
    return text + name;
  }

  const ReadParameters& read_;
  std::map<std::string, State> states_;
  std::vector<Step> path_;
};

void check_cycles(const ReadParameters& read, SpecProblems& problems) {
  CycleSearch search(read);
  for (const std::string& name : read.names) {
    const std::string cycle = search.from(name);
    if (cycle.empty()) continue;
    const std::string first = cycle.substr(0, cycle.find(" -> "));
    problems.add(member_pointer("/parameters", first) + "/when", "the conditions form a cycle: " + cycle,
                 "remove one of them");
    return;  // the other members of the cycle would say the same
  }
}

void check_point(const std::string& pointer, const OrderedJson& point, const ReadParameters& read,
                 SpecProblems& problems) {
  for (const auto& item : point.items()) {
    const std::string place = member_pointer(pointer, item.key());
    if (!is_known(read, item.key())) {
      problems.add_at_key(place, in_quotes(item.key()) + " is not a parameter",
                          unknown_parameter_hint(item.key(), read, problems));
      continue;
    }
    const auto parameter = read.sound.find(item.key());
    if (parameter == read.sound.end()) continue;
    if (const auto objection = parameter->second.objection(Json(item.value())))
      problems.add(place, *objection);
    for (const Condition& condition : parameter->second.when)
      if (point.contains(condition.parent) &&
          std::find(condition.any_of.begin(), condition.any_of.end(), Json(point[condition.parent])) ==
              condition.any_of.end())
        problems.add_at_key(place,
                            in_quotes(item.key()) + " is not active while " + in_quotes(condition.parent) +
                                " is " + point[condition.parent].dump(),
                            "leave it out of this point");
  }
}

}  // namespace

void read_conditions(ReadParameters& read, SpecProblems& problems) {
  for (const std::string& name : read.names) {
    const std::string pointer = member_pointer("/parameters", name) + "/when";
    const OrderedJson* when = problems.find(pointer);
    if (when == nullptr) continue;
    for (const auto& item : when->items()) {
      const std::string place = member_pointer(pointer, item.key());
      if (!check_parent(name, item.key(), place, read, problems)) continue;
      Condition condition{item.key(), alternatives(item.value())};
      if (!check_alternatives(condition, item.value().is_array(), place, read, problems)) continue;
      if (const auto child = read.sound.find(name); child != read.sound.end())
        child->second.when.push_back(std::move(condition));
    }
  }
  check_cycles(read, problems);
  if (!problems.is_sound("/parameters") || read.names.empty()) return;
  std::vector<Parameter> parameters;
  for (const std::string& name : read.names) parameters.push_back(read.sound.at(name));
  read.space = SearchSpace(std::move(parameters));
}

std::vector<ParameterSet> read_try_first(const ReadParameters& read, SpecProblems& problems) {
  const std::string pointer = "/strategy/try_first";
  std::vector<ParameterSet> points;
  const OrderedJson* list = problems.find(pointer);
  if (list == nullptr) return points;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string place = element_pointer(pointer, i);
    const OrderedJson* point = problems.find(place);
    if (point == nullptr) continue;
    check_point(place, *point, read, problems);
    ParameterSet set;
    for (const auto& item : point->items()) set.emplace(item.key(), Json(item.value()));
    points.push_back(std::move(set));
  }
  return points;
}

}  // namespace tune
