// What the search improves: one objective, or two and which trial of their front a person would take.
#include <algorithm>

#include "tuner/core/edit_distance.h"
#include "tuner/core/metric_names.h"
#include "tuner/core/objective_text.h"
#include "tuner/spec/spec_sections.h"

namespace tune {
namespace {

Objective read_objective(const std::string& pointer, const SpecProblems& problems) {
  Objective objective;
  objective.metric = read_value<std::string>(problems, pointer + "/metric").value_or("");
  if (read_value<std::string>(problems, pointer + "/goal") == "maximize") objective.goal = Goal::kMaximize;
  const std::string reduce = read_value<std::string>(problems, pointer + "/reduce").value_or("best");
  if (reduce == "last") objective.reduce = Reduce::kLast;
  if (reduce == "min") objective.reduce = Reduce::kMin;
  if (reduce == "max") objective.reduce = Reduce::kMax;
  return objective;
}

// The names that the spec gives to metrics.
std::vector<std::string> metric_names(const SpecProblems& problems) {
  std::vector<std::string> names;
  const OrderedJson* list = problems.find("/metrics");
  if (list == nullptr) return names;
  for (std::size_t i = 0; i < list->size(); ++i)
    if (const auto name = read_value<std::string>(problems, element_pointer("/metrics", i) + "/name"))
      names.push_back(*name);
  return names;
}

void check_is_read(const Objective& objective, const std::string& pointer, SpecProblems& problems) {
  if (!problems.contains("/command") || objective.metric.empty()) return;
  const std::vector<std::string> names = metric_names(problems);
  if (names.empty() || std::find(names.begin(), names.end(), objective.metric) != names.end()) return;
  problems.add(pointer + "/metric", in_quotes(objective.metric) + " is not among the metrics",
               name_hint(objective.metric, names, "the metrics are"));
}

// What tune measures itself is known when a trial has ended.
void check_device_seconds(const std::vector<Objective>& objectives, SpecProblems& problems) {
  if (objectives[0].metric == kDeviceSeconds)
    problems.add(
        "/objectives/0/metric",
        in_quotes(kDeviceSeconds) + " has no curve, and curves and stopping are of the first objective",
        "put it second");
  if (objectives[1].metric != kDeviceSeconds) return;
  if (problems.contains("/objectives/1/reduce"))
    problems.add_at_key("/objectives/1/reduce", in_quotes(kDeviceSeconds) + " is one number a trial",
                        "leave \"reduce\" out");
  const std::vector<std::string> names = metric_names(problems);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == kDeviceSeconds)
      problems.add(
          element_pointer("/metrics", i) + "/name",
          in_quotes(kDeviceSeconds) + " is what tune measures, and no program prints it",
          "give the program's own metric another name, there and in \"objectives\", or leave it out");
}

void read_two(Spec& spec, SpecProblems& problems) {
  const OrderedJson* list = problems.find("/objectives");
  if (list == nullptr || list->size() != 2) return;
  std::vector<Objective> objectives;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string pointer = element_pointer("/objectives", i);
    objectives.push_back(read_objective(pointer, problems));
    if (objectives[i].metric != kDeviceSeconds) check_is_read(objectives[i], pointer, problems);
  }
  check_device_seconds(objectives, problems);
  if (!objectives[0].metric.empty() && objectives[0].metric == objectives[1].metric)
    problems.add("/objectives/1/metric", "the metric " + in_quotes(objectives[1].metric) + " is there twice",
                 "take another one, or one \"objective\" alone");
  spec.objective = objectives[0];
  spec.second_objective = objectives[1];
}

// An example of a preference for these objectives.
std::string example_of(const Spec& spec) {
  const Objective& other = *spec.second_objective;
  return "\"prefer\": {\"weight\": 0.5}, or \"prefer\": {\"best\": " + in_quotes(spec.objective.metric) +
         ", \"with\": {" + in_quotes(other.metric) + ": {" +
         (other.goal == Goal::kMinimize ? "\"max\"" : "\"min\"") + ": 20}}}";
}

void check_bounds(const std::array<Objective, 2>& objectives, SpecProblems& problems) {
  const OrderedJson* bounds = problems.find("/promote/prefer/with");
  if (bounds == nullptr) return;
  for (const auto& item : bounds->items()) {
    const std::string pointer = member_pointer("/promote/prefer/with", item.key());
    const auto objective = std::find_if(objectives.begin(), objectives.end(),
                                        [&](const Objective& o) { return o.metric == item.key(); });
    if (objective == objectives.end()) {
      problems.add_at_key(pointer, in_quotes(item.key()) + " is none of the objectives",
                          name_hint(item.key(), {objectives[0].metric, objectives[1].metric}, "they are"));
      continue;
    }
    if (problems.find(pointer) == nullptr) continue;
    const bool less = objective->goal == Goal::kMinimize;
    const std::string good = less ? "max" : "min", wrong = less ? "min" : "max";
    if (problems.contains(pointer + "/" + wrong))
      problems.add_at_key(pointer + "/" + wrong,
                          in_quotes(item.key()) + " is " + goal_text(objective->goal) +
                              "d, and no trial can have too " + (less ? "little" : "much") + " of it",
                          "give " + in_quotes(good));
    else if (!problems.contains(pointer + "/" + good))
      problems.add(pointer, "there is no bound", "give " + in_quotes(good));
  }
}

void read_preference(Spec& spec, SpecProblems& problems) {
  const std::string pointer = "/promote/prefer";
  const OrderedJson* prefer = problems.find(pointer);
  if (!spec.second_objective) {
    if (prefer != nullptr && problems.contains("/objective"))
      problems.add_at_key(pointer, "one objective says which trial is the best", "leave \"prefer\" out");
    return;
  }
  if (prefer == nullptr) {
    if (problems.find("/promote") != nullptr && !problems.contains(pointer))
      problems.add("/promote", "of two objectives' front, any trial may be the one to promote",
                   "say which: " + example_of(spec));
    return;
  }
  const std::array<Objective, 2> objectives{spec.objective, *spec.second_objective};
  const bool has_weight = problems.contains(pointer + "/weight"),
             has_best = problems.contains(pointer + "/best");
  if (has_weight == has_best)
    problems.add(pointer,
                 has_weight ? "\"weight\" and \"best\" exclude each other"
                            : "there is neither \"weight\" nor \"best\"",
                 "one of: " + example_of(spec));
  if (problems.contains(pointer + "/with") && !has_best)
    problems.add_at_key(pointer + "/with", "\"with\" goes with \"best\"", "say which objective decides");
  const auto best = read_value<std::string>(problems, pointer + "/best");
  if (best && *best != objectives[0].metric && *best != objectives[1].metric)
    problems.add(pointer + "/best", in_quotes(*best) + " is none of the objectives",
                 name_hint(*best, {objectives[0].metric, objectives[1].metric}, "they are"));
  check_bounds(objectives, problems);
  if (problems.is_sound(pointer)) spec.prefer = preference_from(Json(*prefer), objectives);
}

}  // namespace

void read_objectives(Spec& spec, SpecProblems& problems) {
  const bool has_one = problems.contains("/objective"), has_two = problems.contains("/objectives");
  if (!has_one && !has_two)
    problems.add("/objective", "the key \"objective\" is missing", "What the search improves.");
  if (has_one && has_two)
    problems.add_at_key("/objectives", "\"objective\" and \"objectives\" exclude each other",
                        "keep the one that is meant");
  if (has_one) {
    spec.objective = read_objective("/objective", problems);
    check_is_read(spec.objective, "/objective", problems);
  } else if (has_two) {
    read_two(spec, problems);
  }
  read_preference(spec, problems);
}

void check_two_objectives(const Spec& spec, SpecProblems& problems) {
  if (!spec.second_objective) return;
  const std::string& rule = spec.early_stopping.rule;
  const bool compares_at_steps = rule == "median" || rule == "median_running_average";
  const std::string place = spec.strategy.name == "hyperband" ? "/strategy/name" : "/early_stopping/rule";
  if (rule != "none" && !compares_at_steps)
    problems.add(place,
                 in_quotes(rule) +
                     " goes by one objective, and would stop trials that are on the front for the other one",
                 "take \"median\", which compares a trial with those that are no worse in the other one");
  if (compares_at_steps && spec.second_objective->metric == kDeviceSeconds)
    problems.add(place,
                 in_quotes(kDeviceSeconds) +
                     " is known when a trial has ended, so no rule can tell that one which is behind will "
                     "not be a fast one",
                 "leave the rule out, or make a metric that the program prints early the second objective");
  if (problems.contains("/limits/target"))
    problems.add_at_key("/limits/target", "a target is of one objective",
                        "limit \"no_improvement\": so many trials in a row that were not on the front");
  if (problems.contains("/replicates"))
    problems.add_at_key("/replicates", "the best of them goes by one objective",
                        "run the trials of the front again by `tune rerun`, or by enqueueing them");
  if (problems.contains("/warm_start"))
    problems.add_at_key("/warm_start", "learning from earlier studies goes with one objective",
                        "name their best points in strategy.try_first");
}

}  // namespace tune
