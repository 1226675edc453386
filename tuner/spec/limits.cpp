#include "tuner/spec/limits.h"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace tune {
namespace {

std::string duration_text(Milliseconds duration) {
  const bool whole = duration.count() % 1000 == 0;
  return whole ? std::to_string(duration.count() / 1000) + "s" : std::to_string(duration.count()) + "ms";
}

int count_from(const Json& json) {
  if (!json.is_number_integer() || json < 1 || json > std::numeric_limits<int>::max())
    throw std::invalid_argument(json.dump() + " is not a count");
  return json.get<int>();
}

double value_from(const Json& json) {
  if (!json.is_number() || !std::isfinite(json.get<double>()))
    throw std::invalid_argument(json.dump() + " is not a value");
  return json.get<double>();
}

double amount_from(const Json& json) {
  const double amount = json.is_number() ? json.get<double>() : -1;
  if (!std::isfinite(amount) || amount < 0) throw std::invalid_argument(json.dump() + " is not an amount");
  return amount;
}

}  // namespace

Json limits_json(const Limits& limits) {
  Json json = Json::object();
  if (limits.trials) json["trials"] = *limits.trials;
  if (limits.parallel) json["parallel"] = *limits.parallel;
  if (limits.time) json["time"] = duration_text(*limits.time);
  if (limits.trial_time) json["trial_time"] = duration_text(*limits.trial_time);
  if (limits.on_trial_time == OnTrialTime::kFail) json["on_trial_time"] = "fail";
  if (limits.no_output) json["no_output"] = duration_text(*limits.no_output);
  if (limits.no_metric_time) json["no_metric_time"] = duration_text(*limits.no_metric_time);
  if (limits.gpu_hours) json["gpu_hours"] = *limits.gpu_hours;
  if (limits.cost_usd) json["cost_usd"] = *limits.cost_usd;
  if (limits.target) json["target"] = *limits.target;
  if (limits.no_improvement) json["no_improvement"] = *limits.no_improvement;
  if (limits.convergence) json["convergence"] = *limits.convergence;
  return json;
}

Limits limits_from_json(const Json& json) {
  Limits limits;
  if (json.contains("trials")) limits.trials = count_from(json["trials"]);
  if (json.contains("parallel")) limits.parallel = count_from(json["parallel"]);
  if (json.contains("time")) limits.time = parse_duration(json["time"].get<std::string>());
  if (json.contains("trial_time")) limits.trial_time = parse_duration(json["trial_time"].get<std::string>());
  if (json.value("on_trial_time", "") == "fail") limits.on_trial_time = OnTrialTime::kFail;
  for (const auto& [name, silence] :
       {std::pair("no_output", &limits.no_output), std::pair("no_metric_time", &limits.no_metric_time)})
    if (json.contains(name)) *silence = parse_duration(json[name].get<std::string>());
  if (json.contains("gpu_hours")) limits.gpu_hours = amount_from(json["gpu_hours"]);
  if (json.contains("cost_usd")) limits.cost_usd = amount_from(json["cost_usd"]);
  if (json.contains("target")) limits.target = value_from(json["target"]);
  if (json.contains("no_improvement")) limits.no_improvement = count_from(json["no_improvement"]);
  if (json.contains("convergence")) limits.convergence = amount_from(json["convergence"]);
  return limits;
}

Limits limits_in_place(const Limits& limits, const Limits& others) {
  Json json = limits_json(limits);
  json.update(limits_json(others));
  return limits_from_json(json);
}

}  // namespace tune
