#include "tuner/engine/promotion/preferred.h"

#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"

namespace tune::engine {
namespace {

std::array<Objective, 2> objectives_of(const History& history) {
  return {history.objective, *history.second};
}

// The version's values of these objectives; nullopt where it was promoted by others.
std::optional<std::vector<double>> values_of(const store::ModelVersion& version,
                                             const std::array<Objective, 2>& objectives) {
  const Json known = version.lineage.value("objectives", Json::array());
  std::vector<double> values;
  for (const Objective& objective : objectives)
    for (const Json& one : known)
      if (one.is_object() && one.value("metric", "") == objective.metric &&
          one.value("goal", "") == goal_text(objective.goal) && one.contains("value"))
        values.push_back(number_from_json(one["value"]));
  return values.size() == 2 ? std::optional(values) : std::nullopt;
}

}  // namespace

Preferred preferred_of(const store::StudyStore& store) {
  const store::StudyRow study = store.study();
  const History history = store.load_history();
  const std::array<Objective, 2> objectives = objectives_of(history);
  const auto preference = preference_in(study.spec, objectives);
  if (!preference)
    throw Error(
        ExitCode::kUsage,
        "the study has two objectives, and its spec does not say which trial of the front is preferred",
        "name one, as `tune best " + study.name + "` shows them: tune promote " + study.name +
            "/N; or give the spec a promote.prefer");
  const std::vector<std::size_t> front = front_of(history);
  const PreferredOrder order(*preference, objectives, front_values(history));
  const auto number = [&](std::size_t place) { return history.trials[front[place]]->number; };
  if (const auto chosen = order.chosen()) return {number(*chosen), 0, {}};
  const std::size_t nearest = order.nearest();
  return {std::nullopt, number(nearest),
          "no trial of the front keeps to promote.prefer (" + preference_text(*preference, objectives) +
              "); the nearest is trial " + std::to_string(number(nearest)) + " with " +
              order.text(history.trials[front[nearest]]->values)};
}

Gate judge_preferred(const History& history, const Preference& preference, const std::vector<double>& values,
                     const std::optional<store::ModelVersion>& current) {
  const std::array<Objective, 2> objectives = objectives_of(history);
  const PreferredOrder order(preference, objectives, front_values(history));
  const std::string ours = order.text(values), wish = " (" + preference_text(preference, objectives) + ")";
  if (!current) return {true, "first version, with " + ours + wish};
  const std::string version = "version " + std::to_string(current->version);
  const auto theirs = values_of(*current, objectives);
  if (!theirs)
    return {false, version + " has " + current->objective.metric + " " + shortest(current->value) +
                       " alone, which cannot be compared with " + ours};
  const std::string has = version + " has " + order.text(*theirs);
  if (!order.keeps_bounds(*theirs)) return {true, ours + " keeps to what is preferred" + wish + ": " + has};
  if (order.is_preferred(values, *theirs)) return {true, ours + " is preferred" + wish + ": " + has};
  return {false, ours + " is not preferred" + wish + ": " + has};
}

Json objective_values_json(const store::StudyRow& study, const std::vector<double>& values) {
  Json list = Json::array();
  const auto add = [&](const Objective& objective, double value) {
    list.push_back({{"metric", objective.metric},
                    {"goal", goal_text(objective.goal)},
                    {"value", number_to_json(value)}});
  };
  add(study.objective, values.at(0));
  if (study.second) add(*study.second, values.at(1));
  return list;
}

}  // namespace tune::engine
