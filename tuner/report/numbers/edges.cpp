#include "tuner/report/numbers/edges.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/number_text.h"
#include "tuner/report/numbers/leaderboard.h"

namespace tune::report {
namespace {

constexpr double kNear = 0.01;  // of a continuous range, on its scale

enum class End { kNone, kMin, kMax };

// Rates, shares and sizes begin at 0, counts at 1: there is nothing to widen.
bool is_natural_min(const Parameter& parameter) {
  return parameter.min == 0 || (parameter.type == ParameterType::kInt && parameter.min == 1);
}

// A share or a probability ends at 1. A log scale is of rates, which have no such end.
bool is_natural_max(const Parameter& parameter) {
  return parameter.type == ParameterType::kFloat && parameter.scale == Scale::kLinear && parameter.min >= 0 &&
         parameter.max == 1;
}

End end_of(const Parameter& parameter, const Json& value) {
  const std::size_t count = parameter.cardinality();
  if (parameter.type == ParameterType::kCategorical || !value.is_number() || count == 1 || count == 2)
    return End::kNone;
  if (parameter.objection(value)) return End::kNone;  // of a trial from before the space was amended
  const double at = parameter.to_unit(value);
  const bool is_lowest = count > 0 ? value == parameter.value_at(0) : at <= kNear;
  const bool is_highest = count > 0 ? value == parameter.value_at(count - 1) : at >= 1 - kNear;
  if (is_lowest) return is_natural_min(parameter) ? End::kNone : End::kMin;
  return is_highest && !is_natural_max(parameter) ? End::kMax : End::kNone;
}

// A decade further on a log scale, half the range on a linear one, but not past 0 if all of the range is
// above.
double further(const Parameter& parameter, End end) {
  const double min = parameter.min, max = parameter.max, half = (max - min) / 2;
  switch (parameter.scale) {
    case Scale::kLog:
      return end == End::kMin ? min / 10 : max * 10;
    case Scale::kReverseLog:
      return end == End::kMin ? std::max(0.0, 1 - (1 - min) * 10) : 1 - (1 - max) / 10;
    case Scale::kLinear:
      break;
  }
  if (end == End::kMax) return max + half;
  return min > 0 && min - half <= 0 ? min / 4 : min - half;
}

Json wider_end(const Parameter& parameter, End end) {
  const double bound = end == End::kMin ? parameter.min : parameter.max, aim = further(parameter, end);
  const bool is_int = parameter.type == ParameterType::kInt;
  if (is_int && parameter.scale == Scale::kLog && !parameter.step)
    return parameter.canonical(Json(std::max(1.0, std::round(aim))));
  if (is_int || parameter.step) {
    const double step = parameter.step.value_or(1);
    const double steps = std::max(1.0, std::floor(std::abs(aim - bound) / step + kStepTolerance));
    const double wider = end == End::kMin ? bound - steps * step : bound + steps * step;
    return is_int ? parameter.canonical(Json(wider)) : Json(rounded_for_people(wider));
  }
  return rounded_for_people(aim);
}

// Whether a trial that is as good as the best has its value off that end, which then is not what is good.
bool has_ties_elsewhere(const std::vector<store::TrialRow>& completed, const Parameter& parameter, End end) {
  for (const store::TrialRow& trial : completed) {
    if (trial.values.front() != completed.front().values.front()) return false;
    const auto value = trial.parameters.find(parameter.name);
    if (value == trial.parameters.end() || end_of(parameter, value->second) != end) return true;
  }
  return false;
}

bool varies(const std::vector<store::TrialRow>& completed, const std::string& name) {
  const Json* first = nullptr;
  for (const store::TrialRow& trial : completed) {
    const auto value = trial.parameters.find(name);
    if (value == trial.parameters.end()) continue;
    if (first != nullptr && *first != value->second) return true;
    first = &value->second;
  }
  return false;
}

}  // namespace

std::vector<Edge> best_edges(const StudyRows& rows) {
  std::vector<Edge> edges;
  if (rows.study.second) return edges;  // the ends of a front are where an objective is best
  const std::vector<store::TrialRow> completed = leaderboard(rows.trials, rows.study.objective);
  const std::optional<SearchSpace> space = completed.empty() ? std::nullopt : stored_space(rows.study);
  if (!space) return edges;
  for (const Parameter& parameter : space->parameters()) {
    const auto value = completed.front().parameters.find(parameter.name);
    if (value == completed.front().parameters.end() || !varies(completed, parameter.name)) continue;
    const End end = end_of(parameter, value->second);
    if (end == End::kNone || has_ties_elsewhere(completed, parameter, end)) continue;
    edges.push_back({parameter.name, value->second, end == End::kMax,
                     parameter.canonical(Json(parameter.min)), parameter.canonical(Json(parameter.max)),
                     wider_end(parameter, end)});
  }
  return edges;
}

}  // namespace tune::report
