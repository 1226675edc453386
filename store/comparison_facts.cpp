#include "store/comparison_facts.h"

namespace tune::store {
namespace {

using Texts = std::map<std::string, std::string>;

// A row for each text by name, with the key that it has in the JSON.
constexpr std::pair<const char*, Texts ComparisonFacts::*> kTexts[] = {
    {"weights", &ComparisonFacts::weights},
    {"data", &ComparisonFacts::data},
    {"not_begun", &ComparisonFacts::not_begun},
    {"cut_by_budget", &ComparisonFacts::cut_by_budget}};
constexpr std::pair<const char*, Json ComparisonFacts::*> kDocuments[] = {
    {"trainer", &ComparisonFacts::trainer},
    {"task", &ComparisonFacts::task},
    {"probes", &ComparisonFacts::probes},
    {"forecast", &ComparisonFacts::forecast},
    {"forecast_predicting", &ComparisonFacts::forecast_predicting}};
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

Json member_of(const Json& object, const std::string& name) {
  return object.is_object() ? object.value(name, Json::object()) : Json::object();
}

}  // namespace

Json ComparisonFacts::forecast_of(const std::string& study) const { return member_of(forecast, study); }
Json ComparisonFacts::probes_of(const std::string& approach) const { return member_of(probes, approach); }

Json to_json(const ComparisonAudit& audit) {
  if (!audit.none.empty()) return {{"none", audit.none}};
  return {{"test_images", audit.test_images},
          {"crossing_overlaps", audit.crossing_overlaps},
          {"warnings", audit.warnings}};
}

Json to_json(const ComparisonFacts& facts) {
  Json json = Json::object();
  for (const auto& [key, member] : kTexts)
    if (!(facts.*member).empty()) json[key] = facts.*member;
  for (const auto& [key, member] : kDocuments)
    if (!(facts.*member).is_null()) json[key] = facts.*member;
  for (const auto& [key, member] : kFlags)
    if (facts.*member) json[key] = true;
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
  if (json.contains("audit")) facts.audit = audit_in(json["audit"]);
  facts.training_since = optional_at<std::string>(json, "training_since");
  facts.looks_before = optional_at<int>(json, kLooksBefore);
  facts.scoring_seconds_before = optional_at<double>(json, "scoring_seconds_before");
  return facts;
}

}  // namespace tune::store
