#include "store/comparison_facts.h"

#include "store/members.h"

namespace tune::store {
namespace {

using Texts = std::map<std::string, std::string>;

// A row for each text by name, with the key that it has in the JSON.
constexpr std::pair<const char*, Texts ComparisonFacts::*> kTexts[] = {
    {"weights", &ComparisonFacts::weights},
    {"data", &ComparisonFacts::data},
    {"not_begun", &ComparisonFacts::not_begun},
    {"cut_by_budget", &ComparisonFacts::cut_by_budget},
    {"told", &ComparisonFacts::told}};
constexpr std::pair<const char*, Json ComparisonFacts::*> kDocuments[] = {
    {"trainer", &ComparisonFacts::trainer}, {"task", &ComparisonFacts::task}};
constexpr std::pair<const char*, bool ComparisonFacts::*> kFlags[] = {
    {"had_budget", &ComparisonFacts::had_budget}, {"budget_was_raised", &ComparisonFacts::budget_was_raised}};

template <typename T>
std::optional<T> optional_at(const Json& json, const char* key) {
  return json.contains(key) ? std::optional(json[key].get<T>()) : std::nullopt;
}

ComparisonAudit audit_in(const Json& json) {
  ComparisonAudit audit;
  audit.test_images = json.value("test_images", audit.test_images);
  audit.crossing_overlaps = json.value("crossing_overlaps", 0);
  audit.warnings = json.value("warnings", audit.warnings);
  audit.none = json.value("none", "");
  return audit;
}

template <typename T>
T named(const std::map<std::string, T>& rows, const std::string& name) {
  const auto found = rows.find(name);
  return found == rows.end() ? T() : found->second;
}

}  // namespace

CostForecast ComparisonFacts::forecast_of(const std::string& study) const { return named(forecast, study); }
Probes ComparisonFacts::probes_of(const std::string& approach) const { return named(probes, approach); }

std::optional<Probe> probe_in(const ComparisonProbes& probes, const std::string& approach,
                              const std::string& machine) {
  const Probes of_approach = named(probes, approach);
  const auto found = of_approach.find(machine);
  return found == of_approach.end() ? std::nullopt : std::optional(found->second);
}

Json to_json(const ComparisonAudit& audit) {
  if (!audit.none.empty()) return {{"none", audit.none}};
  return {{"test_images", audit.test_images},
          {"crossing_overlaps", audit.crossing_overlaps},
          {"warnings", audit.warnings}};
}

void to_json(Json& json, const CostForecast& forecast) {
  json = Json::object();
  put(json, "reason", forecast.reason);
  put(json, "trials", forecast.trials);
  put(json, "models", forecast.models);
  put(json, "seconds_per_trial", forecast.seconds_per_trial);
  put(json, "device_seconds_per_trial", forecast.device_seconds_per_trial);
  put(json, "device_hours", forecast.device_hours);
  put(json, "wall_hours", forecast.wall_hours);
  if (forecast.device_hours || forecast.at_most) json["at_most"] = forecast.at_most;
}

void from_json(const Json& json, CostForecast& forecast) {
  Members members(json);
  members.may("reason", forecast.reason);
  members.may("trials", forecast.trials);
  members.may("models", forecast.models);
  members.may("seconds_per_trial", forecast.seconds_per_trial);
  members.may("device_seconds_per_trial", forecast.device_seconds_per_trial);
  members.may("device_hours", forecast.device_hours);
  members.may("wall_hours", forecast.wall_hours);
  members.may("at_most", forecast.at_most);
}

Json to_json(const ComparisonFacts& facts) {
  Json json = Json::object();
  for (const auto& [key, member] : kTexts)
    if (!(facts.*member).empty()) json[key] = facts.*member;
  for (const auto& [key, member] : kDocuments)
    if (!(facts.*member).is_null()) json[key] = facts.*member;
  for (const auto& [key, member] : kFlags)
    if (facts.*member) json[key] = true;
  put(json, "probes", facts.probes);
  put(json, "forecast", facts.forecast);
  put(json, "forecast_predicting", facts.forecast_predicting);
  if (facts.audit) json["audit"] = to_json(*facts.audit);
  if (facts.training_since) json["training_since"] = *facts.training_since;
  if (facts.looks_before) json[kLooksBefore] = *facts.looks_before;
  if (facts.scoring_seconds_before) json["scoring_seconds_before"] = *facts.scoring_seconds_before;
  return json;
}

ComparisonFacts comparison_facts(const Json& json) {
  ComparisonFacts facts;
  for (const auto& [key, member] : kTexts)
    if (json.contains(key)) facts.*member = json[key].get<Texts>();
  for (const auto& [key, member] : kDocuments)
    if (json.contains(key)) facts.*member = json[key];
  for (const auto& [key, member] : kFlags) facts.*member = json.value(key, false);
  if (json.contains("probes")) facts.probes = json["probes"].get<ComparisonProbes>();
  if (json.contains("forecast")) facts.forecast = json["forecast"].get<CostForecasts>();
  facts.forecast_predicting = optional_at<CostForecast>(json, "forecast_predicting");
  if (json.contains("audit")) facts.audit = audit_in(json["audit"]);
  facts.training_since = optional_at<std::string>(json, "training_since");
  facts.looks_before = optional_at<int>(json, kLooksBefore);
  facts.scoring_seconds_before = optional_at<double>(json, "scoring_seconds_before");
  return facts;
}

}  // namespace tune::store
