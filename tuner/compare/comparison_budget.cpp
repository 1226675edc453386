#include "tuner/compare/comparison_budget.h"

#include <algorithm>

namespace tune::compare {
namespace {

store::CostForecast forecast_of(const store::CostForecasts& forecasts, const std::string& study) {
  const auto found = forecasts.find(study);
  return found == forecasts.end() ? store::CostForecast() : found->second;
}

StudyNeed need_of(const Comparison& comparison, std::size_t approach, StudyRole role,
                  const store::CostForecasts& forecasts) {
  StudyNeed need;
  need.study = study_name(comparison, approach, role);
  const store::CostForecast own = forecast_of(forecasts, need.study);
  const store::CostForecast search =
      forecast_of(forecasts, study_name(comparison, approach, StudyRole::kSearch));
  const bool is_elastic = is_search(role);
  const double like_the_search =
      is_elastic || role == StudyRole::kDefaults ? search.device_hours.value_or(0) : 0;
  const double all = own.device_hours.value_or(like_the_search) * 3600;
  need.trial = own.device_seconds_per_trial;
  if (is_elastic) {
    need.elastic = all;
    return need;
  }
  const double runs = own.trials.value_or(0);
  need.fixed = runs > comparison.seeds ? all / runs * comparison.seeds : all;
  need.elastic = all - need.fixed;
  return need;
}

// How many runs a study is to have.
struct PlannedRuns {
  int fixed = 0, elastic = 0;
};
PlannedRuns planned_runs(const Comparison& comparison, std::size_t approach, StudyRole role) {
  const int seeds = comparison.seeds;
  if (is_trained_anew(role) || !comparison.approaches[approach].has_search) return {seeds, 0};
  // One that only time ends is taken to have as many as there are runs for each seed.
  const int searched =
      search_trials(comparison, approach).value_or(seeds * (comparison.random_search ? 3 : 2));
  if (is_search(role)) return {0, searched};
  return {seeds, comparison.best_of_seeds ? std::max(0, searched - seeds) : 0};
}

}  // namespace

std::vector<StudyNeed> study_needs(const Comparison& comparison, const store::CostForecasts& forecast) {
  std::vector<StudyNeed> needs;
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i)
    for (const StudyRole role : study_roles(comparison, i))
      needs.push_back(need_of(comparison, i, role, forecast));
  return needs;
}

void add_unmeasured(const Comparison& comparison, const std::vector<double>& seconds_of_run,
                    std::size_t index, double left, std::vector<StudyNeed>& needs) {
  struct Unmeasured {
    std::size_t need;
    PlannedRuns runs;
    double seconds;
  };
  std::vector<Unmeasured> all;
  std::size_t at = 0;
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i)
    for (const StudyRole role : study_roles(comparison, i)) {
      if (comparison.approaches[i].is_program && at >= index)
        all.push_back({at, planned_runs(comparison, i, role), seconds_of_run.at(i)});
      ++at;
    }
  double unknown_runs = 0;
  for (std::size_t i = index; i < needs.size(); ++i) left -= needs[i].fixed + needs[i].elastic;
  for (const Unmeasured& one : all) {
    const double runs = one.runs.fixed + one.runs.elastic;
    left -= runs * one.seconds;
    if (one.seconds <= 0) unknown_runs += runs;
  }
  const double even = unknown_runs > 0 ? std::max(0.0, left) / unknown_runs : 0;
  for (const Unmeasured& one : all) {
    const double seconds = one.seconds > 0 ? one.seconds : even;
    needs[one.need].fixed = one.runs.fixed * seconds;
    needs[one.need].elastic = one.runs.elastic * seconds;
    needs[one.need].trial = seconds;
  }
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
