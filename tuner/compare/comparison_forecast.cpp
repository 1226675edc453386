#include "tuner/compare/comparison_forecast.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "tuner/engine/devices/device_pool.h"
#include "tuner/engine/loop/spending.h"

namespace tune::compare {
namespace {

constexpr const char* kNotMeasured = "a program of one's own is not measured beforehand";
constexpr const char* kNoSpeed = "the probe did not say how fast it trains";

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
std::optional<double> examples_per_second(const store::Probe& probe) {
  for (const store::ProbeCandidate& candidate : probe.candidates)
    if (candidate.precision == probe.precision)
      return candidate.examples_per_second ? candidate.examples_per_second : candidate.images_per_second;
  return std::nullopt;
}

// What a trial takes before it trains.
double start_seconds(const store::Probe& probe) {
  return probe.measured_seconds ? std::max(0.0, probe.lease_seconds.value_or(0) - *probe.measured_seconds)
                                : 0;
}

// What one trial takes of wall time, by the probe. nullopt: the reason is in `reason`.
std::optional<double> seconds_of_trial(const Spec& spec, const store::Probe& probe, const Json& description,
                                       std::string& reason) {
  const std::optional<double> speed = examples_per_second(probe), epochs = epochs_of(spec, description);
  const auto examples =
      static_cast<double>(probe.training_examples.value_or(probe.training_images.value_or(0)));
  if (!speed || *speed <= 0 || examples <= 0) reason = kNoSpeed;
  if (!epochs) reason = "its epochs are not known";
  if (!reason.empty()) return std::nullopt;
  const double seconds =
      start_seconds(probe) + *epochs * (examples / *speed + probe.validation_seconds.value_or(0));
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

store::CostForecast forecast_study(const Spec& spec, std::optional<int> trials, const store::Probe& probe,
                                   const Json& description, const engine::Machine& machine) {
  store::CostForecast forecast;
  const std::optional<double> seconds = seconds_of_trial(spec, probe, description, forecast.reason);
  if (!seconds) return forecast;
  const bool on_cpu = probe.device.value_or("cpu") == "cpu";
  const double each = *seconds * (on_cpu ? 1 : spec.resources.gpus_per_trial.value_or(1));
  const std::optional<double> allowed = allowed_seconds(spec, on_cpu, machine);
  if (!trials && !allowed) {
    forecast.reason = "nothing but its strategy ends its search";
    return forecast;
  }
  const double wanted = trials ? *trials * each : *allowed;
  const double taken = allowed ? std::min(wanted, *allowed) : wanted;
  const bool is_limited = !trials || taken < wanted;
  const int runs = trials.value_or(std::max(1, static_cast<int>(std::ceil(taken / each))));
  forecast.trials = runs;
  forecast.seconds_per_trial = seconds;
  forecast.device_seconds_per_trial = each;
  forecast.device_hours = taken / 3600;
  forecast.wall_hours = wall_seconds(spec, runs, *seconds, taken, is_limited, on_cpu, machine) / 3600;
  forecast.at_most = spec.early_stopping.rule != "none" || is_limited;
  return forecast;
}

bool stops_losers(const Comparison& comparison, std::size_t approach) {
  const OrderedJson search = study_spec_document(comparison, approach, StudyRole::kSearch);
  return parse_spec(search.dump(), comparison.file, comparison.folder).early_stopping.rule != "none";
}

}  // namespace

store::CostForecasts forecast_approach(const Comparison& comparison, std::size_t approach,
                                       const std::optional<store::Probe>& probe, const Json& description,
                                       const engine::Machine& machine) {
  store::CostForecasts forecast;
  if (comparison.approaches[approach].is_program) {
    for (const StudyRole role : study_roles(comparison, approach))
      forecast[study_name(comparison, approach, role)].reason = kNotMeasured;
    return forecast;
  }
  const auto add = [&](StudyRole role, std::optional<int> trials) {
    // Only the speed of a winner matters here, which hardly depends on the values.
    const StudyRole like = is_trained_anew(role) ? StudyRole::kDefaults : role;
    const Spec spec = parse_spec(study_spec_document(comparison, approach, like, trials).dump(),
                                 comparison.file, comparison.folder);
    return forecast[study_name(comparison, approach, role)] =
               forecast_study(spec, trials, probe.value_or(store::Probe()), description, machine);
  };
  if (!comparison.approaches[approach].has_search) {
    add(StudyRole::kDefaults, comparison.seeds);
    return forecast;
  }
  const std::optional<int> limit = search_trials(comparison, approach);
  const store::CostForecast search = add(StudyRole::kSearch, limit);
  add(StudyRole::kTuned, comparison.seeds);
  const int trials = search.trials.value_or(1);
  const auto like_the_search = [&](StudyRole role, int count, const std::string& unknown, bool at_most) {
    if (unknown.empty()) add(role, count);
    store::CostForecast& made = forecast[study_name(comparison, approach, role)];
    if (!unknown.empty())
      made.reason = unknown;
    else if (at_most)
      made.at_most = true;
  };
  std::string unknown = search.reason;
  // The seeds get the device time of the search, whatever it makes of it.
  const int seeds = comparison.best_of_seeds ? std::max(comparison.seeds, trials) : comparison.seeds;
  like_the_search(StudyRole::kDefaults, seeds, comparison.best_of_seeds ? unknown : std::string(),
                  seeds > comparison.seeds && search.at_most);
  if (!comparison.random_search) return forecast;
  // A search that stops losers has time for any number of trials.
  if (unknown.empty() && !limit && stops_losers(comparison, approach))
    unknown = "as many runs as its search makes, which stops losers and has no limit on its trials";
  like_the_search(StudyRole::kRandom, trials, unknown, !limit);
  add(StudyRole::kRandomTuned, comparison.seeds);
  return forecast;
}

store::CostForecast forecast_predicting(const Comparison& comparison, const store::CostForecasts& forecast,
                                        const store::ComparisonProbes& probes,
                                        const std::string& machine_name, double test_images) {
  const auto known = [](double seconds, std::optional<int> models) {
    store::CostForecast answer;
    answer.models = models;
    answer.device_hours = seconds / 3600;
    answer.at_most = models.has_value();
    return answer;
  };
  const auto unknown = [](const std::string& reason) {
    store::CostForecast answer;
    answer.reason = reason;
    return answer;
  };
  if (comparison.own_test && comparison.own_test->command.empty()) return known(0, std::nullopt);
  if (comparison.own_test) return unknown(kNotMeasured);
  if (!comparison.task.has_audit)
    return unknown("how many test " + comparison.task.unit + " there are is not known without an audit");
  double seconds = 0;
  int models = 0;
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
    const auto probe = store::probe_in(probes, comparison.approaches[i].name, machine_name);
    const std::optional<double> speed = probe ? examples_per_second(*probe) : std::optional<double>();
    int of_approach = 0;
    for (const StudyRole role : study_roles(comparison, i)) {
      const auto study = forecast.find(study_name(comparison, i, role));
      if (!is_search(role) && (study == forecast.end() || !study->second.trials))
        return unknown("how many models there will be is not known");
      of_approach += is_search(role) ? 1 : *study->second.trials;
    }
    if (!speed || *speed <= 0) return unknown(kNoSpeed);
    models += of_approach;
    seconds += of_approach * (start_seconds(*probe) + test_images / *speed);
  }
  return known(seconds, models);
}

ForecastTotal forecast_total(const Comparison& comparison, const store::CostForecasts& forecast,
                             const store::CostForecast& predicting, double probing) {
  ForecastTotal total;
  total.device_hours = total.wall_hours = probing / 3600;
  bool is_known = true, at_most = false;
  const auto add = [&](const store::CostForecast& part) {
    is_known &= part.device_hours.has_value();
    at_most |= part.at_most;
    total.device_hours += part.device_hours.value_or(0);
    total.wall_hours += part.wall_hours.value_or(part.device_hours.value_or(0));
  };
  for (const auto& [study, part] : forecast) add(part);
  add(predicting);
  total.bound = is_known ? (at_most ? "at most" : "") : (at_most ? "about" : "at least");
  if (comparison.usd_per_hour) total.usd = total.device_hours * *comparison.usd_per_hour;
  return total;
}

}  // namespace tune::compare
