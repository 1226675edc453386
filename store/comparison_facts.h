#pragma once
// What a comparison's record tells beside its document and its models: the column `facts`, whole.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/study_facts.h"
#include "tuner/core/json.h"

namespace tune::store {

// Its key, where the next scoring gets its number from.
inline constexpr const char* kLooksBefore = "looks_before";

// What was found in the data before anything was trained.
struct ComparisonAudit {
  std::int64_t test_images = 0;
  int crossing_overlaps = 0;          // of images that a split by content has put into different parts
  std::vector<std::string> warnings;  // of the readers of the data
  std::string none;                   // why there is no audit; then all else is empty
};

// What a study of a comparison, or predicting at its end, was predicted to take.
struct CostForecast {
  std::string reason;         // why that is not known; then there are no numbers
  std::optional<int> trials;  // of a study
  std::optional<int> models;  // that predict
  std::optional<double> seconds_per_trial, device_seconds_per_trial;
  std::optional<double> device_hours, wall_hours;
  bool at_most = false;  // it may be less: a limit decides, or losers are stopped
};
using CostForecasts = std::map<std::string, CostForecast>;  // by study

using ComparisonProbes = std::map<std::string, Probes>;  // by approach
std::optional<Probe> probe_in(const ComparisonProbes& probes, const std::string& approach,
                              const std::string& machine);

// A member that is empty, or has no value, is not in the JSON.
struct ComparisonFacts {
  std::map<std::string, std::string> weights;  // SHA-256 of the initial ones, by approach; "" for none
  std::map<std::string, std::string> data;     // fingerprints of the data sets, by their names
  Json trainer, task;                          // what tune-train is, and has; null where it trains nothing
  std::optional<ComparisonAudit> audit;
  ComparisonProbes probes;
  CostForecasts forecast;  // empty before it is made
  std::optional<CostForecast> forecast_predicting;
  std::optional<std::string> training_since;  // from then on neither file nor data may change
  // By study, in words: what a budget kept from being begun, and what it ended.
  std::map<std::string, std::string> not_begun, cut_by_budget;
  std::map<std::string, std::string> told;  // what the commands of `notify` were told, and what came of it
  bool had_budget = false;                  // so that studies hold a share of one
  bool budget_was_raised = false;           // in this round what an earlier budget has ended may go on
  // How often a comparison went on after its test had been made, and the seconds of device time that
  // predicting had taken by then.
  std::optional<int> looks_before;
  std::optional<double> scoring_seconds_before;

  CostForecast forecast_of(const std::string& study) const;  // without numbers where there is none
  Probes probes_of(const std::string& approach) const;
  bool was_cut() const { return !not_begun.empty() || !cut_by_budget.empty(); }
};

Json to_json(const ComparisonFacts& facts);
// Throws std::exception for what no version has written.
ComparisonFacts comparison_facts(const Json& json);

Json to_json(const ComparisonAudit& audit);

void to_json(Json& json, const CostForecast& forecast);
void from_json(const Json& json, CostForecast& forecast);

}  // namespace tune::store
