#include "tuner/compare/comparison_budget.h"

#include <algorithm>

namespace tune::compare {
namespace {

std::optional<double> seconds_in(const Json& forecast) {
  if (!forecast.contains("device_hours")) return std::nullopt;
  return forecast["device_hours"].get<double>() * 3600;
}

StudyNeed need_of(const Comparison& comparison, std::size_t approach, StudyRole role, const Json& forecasts) {
  StudyNeed need;
  need.study = study_name(comparison, approach, role);
  const Json own = forecasts.value(need.study, Json::object());
  const Json search = forecasts.value(study_name(comparison, approach, StudyRole::kSearch), Json::object());
  const bool is_elastic = role == StudyRole::kSearch || role == StudyRole::kRandom;
  const double all = seconds_in(own).value_or(
      is_elastic || role == StudyRole::kDefaults ? seconds_in(search).value_or(0) : 0);
  if (own.contains("device_seconds_per_trial")) need.trial = own["device_seconds_per_trial"].get<double>();
  if (is_elastic) {
    need.elastic = all;
    return need;
  }
  const double runs = own.value("trials", 0.0);
  need.fixed = runs > comparison.seeds ? all / runs * comparison.seeds : all;
  need.elastic = all - need.fixed;
  return need;
}

}  // namespace

std::vector<StudyNeed> study_needs(const Comparison& comparison, const Json& forecast) {
  std::vector<StudyNeed> needs;
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i)
    for (const StudyRole role : study_roles(comparison, i))
      needs.push_back(need_of(comparison, i, role, forecast));
  return needs;
}

double budget_share(const std::vector<StudyNeed>& needs, std::size_t index, double left, double predicting) {
  const StudyNeed& own = needs.at(index);
  double later_fixed = predicting, later_elastic = 0;
  for (std::size_t i = index + 1; i < needs.size(); ++i) {
    later_fixed += needs[i].fixed;
    later_elastic += needs[i].elastic;
  }
  const double pool = left - own.fixed - later_fixed;  // for what is elastic
  if (pool < 0) {
    const double all_fixed = own.fixed + later_fixed;
    return all_fixed > 0 ? std::max(0.0, left) * own.fixed / all_fixed : 0;
  }
  // Runs for each seed may take longer than predicted, at the cost of what is elastic.
  if (own.elastic <= 0) return own.fixed + pool;
  const double spare = pool - own.elastic - later_elastic;
  return own.fixed + (spare >= 0 ? own.elastic + spare : pool * own.elastic / (own.elastic + later_elastic));
}

}  // namespace tune::compare
