#include "tuner/report/text/format.h"

#include <algorithm>
#include <cstdio>

#include "tuner/core/number_text.h"
#include "tuner/report/text/table.h"

namespace tune::report {
namespace {

std::string printed(const char* format, double number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

}  // namespace

std::string value_text(const store::TrialRow& trial, std::size_t objective) {
  return objective < trial.values.size() ? number_text(trial.values[objective]) : std::string();
}

std::string cut_text(const store::TrialRow& trial) {
  return "It was cut short by limits." + trial.cut + ", and might have become better with more time.";
}

std::string reason_text(const store::TrialRow& trial) {
  const std::string reason = trial.reason == to_string(trial.state) ? std::string() : trial.reason;
  if (trial.failure.empty() || reason.starts_with(trial.failure)) return reason;
  return reason.empty() ? trial.failure : trial.failure + ": " + reason;
}

// format_duration() cuts what it leaves out, as suits a clock; here parts are to add up to their sum.
std::string seconds_text(double seconds) {
  const double exact = std::max(0.0, seconds);
  if (exact < 1) return format_duration(Milliseconds(std::llround(exact * 1000)));
  const auto rounded = [&](double unit) {
    return std::chrono::seconds(std::llround(exact / unit) * std::llround(unit));
  };
  if (rounded(1) < std::chrono::hours(1)) return format_duration(rounded(1));
  return format_duration(rounded(60) < std::chrono::hours(24) ? rounded(60) : rounded(3600));
}

std::string hours_text(double hours) {
  if (std::llround(hours * 3600) < 3600) return seconds_text(hours * 3600);
  return printed("%.2f h", hours);
}

std::string percent_text(double share) { return std::to_string(std::lround(100 * share)) + " %"; }

std::string usd_text(const std::optional<double>& usd) {
  if (!usd) return {};
  return printed(*usd > 0 && *usd < 0.0995 ? "$%.4f" : "$%.2f", *usd);
}

std::string cost_text(const Cost& cost) {
  const std::string hours = hours_text(cost.device_hours);
  return "device time " + hours + (cost.usd ? ", " + usd_text(cost.usd) : std::string());
}

std::string parameter_text(const Json& value) {
  return value.is_number_float() ? number_text(value.get<double>()) : argument_text(value);
}

std::string bound_text(const Parameter& parameter, double number) {
  return argument_text(parameter.canonical(Json(number)));
}

std::string parameters_text(const ParameterSet& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters)
    text += (text.empty() ? "" : " ") + name + '=' + parameter_text(value);
  return text;
}

std::string parameters_text(const store::TrialRow& trial) {
  const std::string text = parameters_text(trial.parameters);
  if (trial.facts.overrides.empty()) return text;
  return text + (text.empty() ? "" : " ") + "(ran with " +
         parameters_text(trial.facts.overrides.get<ParameterSet>()) + ")";
}

std::string overrides_text(const store::TrialRow& trial) {
  if (trial.facts.overrides.empty()) return {};
  return "It ran with " + parameters_text(trial.facts.overrides.get<ParameterSet>()) +
         ", since it ran out of memory as it was suggested.";
}

std::string parameter_lines(const ParameterSet& parameters, const Json& overrides) {
  std::string text;
  std::size_t widest = 0;
  for (const auto& [name, value] : parameters) widest = std::max(widest, name.size());
  for (const auto& [name, value] : parameters) {
    const auto ran = overrides.find(name);
    const std::string suggested = one_line(parameter_text(value));
    text += "  " + name + std::string(widest + 2 - name.size(), ' ') +
            (ran == overrides.end() ? suggested
                                    : one_line(parameter_text(*ran)) + " (suggested " + suggested + ")") +
            '\n';
  }
  return text;
}

std::optional<double> trial_seconds(const store::TrialRow& trial) {
  if (!trial.started || !trial.ended) return std::nullopt;
  return static_cast<double>((*trial.ended - *trial.started).count()) / 1000;
}

Json cost_json(const Cost& cost) {
  return {{"lease_seconds", cost.lease_seconds},
          {"device_hours", cost.device_hours},
          {"usd", cost.usd ? Json(*cost.usd) : Json()}};
}

Json time_json(const std::optional<WallTime>& time) { return time ? Json(format_time(*time)) : Json(); }

Json value_json(const store::TrialRow& trial) {
  return trial.values.empty() ? Json() : number_to_json(trial.values.front());
}

}  // namespace tune::report
