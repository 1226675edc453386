#include "tuner/compare/comparison_forecast.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "tuner/engine/devices/device_pool.h"
#include "tuner/engine/loop/spending.h"

namespace tune::compare {
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

// If epochs are searched, the largest value.
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

// Probes of older versions knew images alone.
std::optional<double> examples_per_second(const Json& probe) {
  for (const Json& candidate : probe.value("candidates", Json::array()))
    if (candidate.value("precision", "") == probe.value("precision", ""))
      return candidate.value("examples_per_second", candidate.value("images_per_second", 0.0));
  return std::nullopt;
}

// 0 where it took too long to be measured.
double validation_seconds(const Json& probe) {
  const Json seconds = probe.value("validation_seconds", Json());
  return seconds.is_number() ? seconds.get<double>() : 0;
}

// What a trial takes before it trains.
double start_seconds(const Json& probe) {
  return probe.contains("measured_seconds")
             ? std::max(0.0, probe.value("lease_seconds", 0.0) - probe["measured_seconds"].get<double>())
             : 0;
}

// What one trial takes of wall time, by the probe. nullopt: the reason is in `reason`.
std::optional<double> seconds_of_trial(const Spec& spec, const Json& probe, const Json& description,
                                       std::string& reason) {
  const std::optional<double> speed = examples_per_second(probe), epochs = epochs_of(spec, description);
  const double examples = probe.value("training_examples", probe.value("training_images", 0.0));
  if (!speed || *speed <= 0 || examples <= 0) reason = "the probe did not say how fast it trains";
  if (!epochs) reason = "its epochs are not known";
  if (!reason.empty()) return std::nullopt;
  const double seconds = start_seconds(probe) + *epochs * (examples / *speed + validation_seconds(probe));
  if (!spec.limits.trial_time) return seconds;
  return std::min(seconds, std::chrono::duration<double>(*spec.limits.trial_time).count());
}

// The most devices that its trials can lease at once: GPUs, or slots of the CPU.
double devices_at_once(const Spec& spec, bool on_cpu, const engine::Machine& machine) {
  if (on_cpu)
    return spec.limits.parallel.value_or(
        std::min(engine::kDefaultParallelOnCpu, std::max(1, static_cast<int>(machine.cores.size()))));
  const double all = static_cast<double>(machine.gpus.size());
  if (!spec.limits.parallel) return all;
  return std::min(all,
                  static_cast<double>(*spec.limits.parallel * spec.resources.gpus_per_trial.value_or(1)));
}

// The device seconds that its limits allow; nullopt without such a limit.
std::optional<double> allowed_seconds(const Spec& spec, bool on_cpu, const engine::Machine& machine) {
  std::optional<double> least;
  if (const auto budget = engine::device_budget(spec.limits, spec.usd_per_hour)) least = budget->seconds;
  if (!spec.limits.time) return least;
  const double time =
      std::chrono::duration<double>(*spec.limits.time).count() * devices_at_once(spec, on_cpu, machine);
  return least ? std::min(*least, time) : time;
}

// With as many trials side by side as there are devices for; `taken` are the device seconds, which a limit
// may have decided.
double wall_seconds(const Spec& spec, int trials, double seconds_per_trial, double taken, bool is_limited,
                    bool on_cpu, const engine::Machine& machine) {
  const double devices = on_cpu ? 1 : spec.resources.gpus_per_trial.value_or(1);
  const double at_once = std::clamp(std::floor(devices_at_once(spec, on_cpu, machine) / devices), 1.0,
                                    static_cast<double>(std::max(1, trials)));
  const double all = std::ceil(trials / at_once) * seconds_per_trial;
  return is_limited ? std::min(all, taken / devices / at_once) : all;
}

Json forecast_study(const Spec& spec, std::optional<int> trials, const Json& probe, const Json& description,
                    const engine::Machine& machine) {
  std::string reason;
  const std::optional<double> seconds = seconds_of_trial(spec, probe, description, reason);
  if (!seconds) return {{"reason", reason}};
  const bool on_cpu = probe.value("device", "cpu") == "cpu";
  const double each = *seconds * (on_cpu ? 1 : spec.resources.gpus_per_trial.value_or(1));
  const std::optional<double> allowed = allowed_seconds(spec, on_cpu, machine);
  if (!trials && !allowed) return {{"reason", "nothing but its strategy ends its search"}};
  const double wanted = trials ? *trials * each : *allowed;
  const double taken = allowed ? std::min(wanted, *allowed) : wanted;
  const bool is_limited = !trials || taken < wanted;
  const int runs = trials.value_or(std::max(1, static_cast<int>(std::ceil(taken / each))));
  return {{"trials", runs},
          {"seconds_per_trial", *seconds},
          {"device_seconds_per_trial", each},
          {"device_hours", taken / 3600},
          {"wall_hours", wall_seconds(spec, runs, *seconds, taken, is_limited, on_cpu, machine) / 3600},
          {"at_most", spec.early_stopping.rule != "none" || is_limited}};
}

bool stops_losers(const Comparison& comparison, std::size_t approach) {
  const OrderedJson search = study_spec_document(comparison, approach, StudyRole::kSearch);
  return parse_spec(search.dump(), comparison.file, comparison.folder).early_stopping.rule != "none";
}

}  // namespace

Json forecast_approach(const Comparison& comparison, std::size_t approach, const Json& probe,
                       const Json& description, const engine::Machine& machine) {
  Json forecast = Json::object();
  if (comparison.approaches[approach].is_program) {
    for (const StudyRole role : study_roles(comparison, approach))
      forecast[study_name(comparison, approach, role)] = {
          {"reason", "a program of one's own is not measured beforehand"}};
    return forecast;
  }
  const auto add = [&](StudyRole role, std::optional<int> trials) {
    // Only the speed of a winner matters here, which hardly depends on the values.
    const StudyRole like =
        role == StudyRole::kTuned || role == StudyRole::kRandomTuned ? StudyRole::kDefaults : role;
    const Spec spec = parse_spec(study_spec_document(comparison, approach, like, trials).dump(),
                                 comparison.file, comparison.folder);
    return forecast[study_name(comparison, approach, role)] =
               forecast_study(spec, trials, probe, description, machine);
  };
  if (!comparison.approaches[approach].has_search) {
    add(StudyRole::kDefaults, comparison.seeds);
    return forecast;
  }
  const std::optional<int> limit = search_trials(comparison, approach);
  const Json search = add(StudyRole::kSearch, limit);
  add(StudyRole::kTuned, comparison.seeds);
  const int trials = search.value("trials", 1);
  const auto like_the_search = [&](StudyRole role, int count, const Json& unknown, bool at_most) {
    if (unknown.is_null()) add(role, count);
    Json& made = forecast[study_name(comparison, approach, role)];
    if (!unknown.is_null())
      made = unknown;
    else if (at_most)
      made["at_most"] = true;
  };
  Json unknown = search.contains("trials") ? Json() : search;
  // The seeds get the device time of the search, whatever it makes of it.
  const int seeds = comparison.best_of_seeds ? std::max(comparison.seeds, trials) : comparison.seeds;
  like_the_search(StudyRole::kDefaults, seeds, comparison.best_of_seeds ? unknown : Json(),
                  seeds > comparison.seeds && search.value("at_most", false));
  if (!comparison.random_search) return forecast;
  // A search that stops losers has time for any number of trials.
  if (unknown.is_null() && !limit && stops_losers(comparison, approach))
    unknown = {
        {"reason", "as many runs as its search makes, which stops losers and has no limit on its trials"}};
  like_the_search(StudyRole::kRandom, trials, unknown, !limit);
  add(StudyRole::kRandomTuned, comparison.seeds);
  return forecast;
}

Json forecast_predicting(const Comparison& comparison, const Json& forecast, const Json& probes,
                         const std::string& machine_name, double test_images) {
  if (comparison.own_test && comparison.own_test->command.empty())
    return {{"device_hours", 0.0}, {"at_most", false}};
  if (comparison.own_test) return {{"reason", "a program of one's own is not measured beforehand"}};
  if (!comparison.task.has_audit)
    return {{"reason", "how many test " + comparison.task.unit + " there are is not known without an audit"}};
  double seconds = 0;
  int models = 0;
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
    const Json probe =
        probes.value(comparison.approaches[i].name, Json::object()).value(machine_name, Json::object());
    const std::optional<double> speed = examples_per_second(probe);
    int of_approach = 0;
    for (const StudyRole role : study_roles(comparison, i)) {
      const Json study = forecast.value(study_name(comparison, i, role), Json::object());
      const bool is_search = role == StudyRole::kSearch || role == StudyRole::kRandom;
      if (!is_search && !study.contains("trials"))
        return {{"reason", "how many models there will be is not known"}};
      of_approach += is_search ? 1 : study["trials"].get<int>();
    }
    if (!speed || *speed <= 0) return {{"reason", "the probe did not say how fast it trains"}};
    models += of_approach;
    seconds += of_approach * (start_seconds(probe) + test_images / *speed);
  }
  return {{"models", models}, {"device_hours", seconds / 3600}, {"at_most", true}};
}

Json forecast_total(const Comparison& comparison, const Json& forecast, const Json& predicting,
                    double probing) {
  double hours = probing / 3600, wall = hours;
  bool is_known = true, at_most = false;
  const auto add = [&](const Json& part) {
    is_known &= part.contains("device_hours");
    at_most |= part.value("at_most", false);
    hours += part.value("device_hours", 0.0);
    wall += part.value("wall_hours", part.value("device_hours", 0.0));
  };
  for (const Json& study : forecast) add(study);
  add(predicting);
  const char* bound = is_known ? (at_most ? "at most" : "") : (at_most ? "about" : "at least");
  Json total = {{"device_hours", hours}, {"wall_hours", wall}, {"bound", bound}};
  if (comparison.usd_per_hour) total["usd"] = hours * *comparison.usd_per_hour;
  return total;
}

}  // namespace tune::compare
