#include "tuner/engine/comparison_forecast.h"

#include <algorithm>
#include <optional>

namespace tune::engine {
namespace {

const Json* entry_named(const Json& rows, const std::string& name) {
  for (const Json& row : rows)
    if (row.value("name", "") == name) return &row;
  return nullptr;
}

std::optional<double> default_epochs(const Spec& spec, const Json& description) {
  const Json* task = entry_named(description.at("tasks"), spec.trainer->value("task", ""));
  if (task == nullptr) return std::nullopt;
  const Json* key = entry_named(task->at("trainer_keys"), "recipe");
  const std::string recipe =
      spec.trainer->value("recipe", key == nullptr ? std::string() : key->value("default", ""));
  const Json* row = entry_named(task->at("recipes"), recipe);
  const Json* epochs = row == nullptr ? nullptr : entry_named(row->at("hyperparameters"), "epochs");
  if (epochs == nullptr || !epochs->contains("default")) return std::nullopt;
  return epochs->at("default").get<double>();
}

// Of a search over epochs the most.
std::optional<double> epochs_of(const Spec& spec, const Json& description) {
  if (const auto index = spec.space.find("epochs")) {
    const Parameter& parameter = spec.space.parameters()[*index];
    if (parameter.type != ParameterType::kCategorical) return parameter.max;
    double most = 0;
    for (const Json& value : parameter.values)
      if (value.is_number()) most = std::max(most, value.get<double>());
    return most;
  }
  const auto fixed = spec.fixed.find("epochs");
  if (fixed != spec.fixed.end() && fixed->is_number()) return fixed->get<double>();
  return default_epochs(spec, description);
}

std::optional<double> images_per_second(const Json& probe) {
  for (const Json& candidate : probe.value("candidates", Json::array()))
    if (candidate.value("precision", "") == probe.value("precision", ""))
      return candidate.value("images_per_second", 0.0);
  return std::nullopt;
}

Json forecast_study(const Spec& spec, std::optional<int> trials, const Json& probe, const Json& description) {
  const std::optional<double> speed = images_per_second(probe), epochs = epochs_of(spec, description);
  const double images = probe.value("training_images", 0.0);
  if (!speed || *speed <= 0 || images <= 0) return {{"reason", "the probe did not say how fast it trains"}};
  if (!epochs) return {{"reason", "its epochs are not known"}};
  if (!trials) return {{"reason", "time ends its search, not a number of trials"}};
  const double seconds = *epochs * images / *speed;
  const int devices = probe.value("device", "cpu") == "cpu" ? 1 : spec.resources.gpus_per_trial.value_or(1);
  return {{"trials", *trials},
          {"seconds_per_trial", seconds},
          {"device_hours", seconds * *trials * devices / 3600}};
}

}  // namespace

Json forecast_approach(const Comparison& comparison, std::size_t approach, const Json& probe,
                       const Json& description) {
  Json forecast = Json::object();
  const auto add = [&](StudyRole role, std::optional<int> trials) {
    // Of a winner only the speed matters, which hardly depends on the values.
    const StudyRole like =
        role == StudyRole::kTuned || role == StudyRole::kRandomTuned ? StudyRole::kDefaults : role;
    const Spec spec = parse_spec(study_document(comparison, approach, like, trials.value_or(1)).dump(),
                                 comparison.file, comparison.folder);
    forecast[study_name(comparison, approach, role)] = forecast_study(spec, trials, probe, description);
  };
  if (!comparison.approaches[approach].has_search) {
    add(StudyRole::kDefaults, comparison.seeds);
    return forecast;
  }
  const std::optional<int> trials = search_trials(comparison, approach);
  std::optional<int> defaults = comparison.seeds;
  if (comparison.best_of_seeds)
    defaults = trials ? std::optional(std::max(comparison.seeds, *trials)) : std::nullopt;
  add(StudyRole::kSearch, trials);
  add(StudyRole::kDefaults, defaults);
  add(StudyRole::kTuned, comparison.seeds);
  if (!comparison.random_search) return forecast;
  add(StudyRole::kRandom, trials);
  add(StudyRole::kRandomTuned, comparison.seeds);
  return forecast;
}

}  // namespace tune::engine
