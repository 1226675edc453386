#include "tuner/report/page/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "tuner/core/error.h"
#include "tuner/core/number_text.h"
#include "tuner/core/quantile.h"
#include "tuner/report/text/format.h"

namespace tune::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kOuterFence = 3;       // interquartile ranges
constexpr double kWorthCutting = 5;     // the whole range over the range within the fence
constexpr std::size_t kFewest = 8;      // values; quartiles of fewer say little
constexpr double kDecadesToLog = 100;   // largest over smallest
constexpr double kWantedIntervals = 5;  // between the ticks of an axis

struct RoleText {
  Role role;
  const char *name, *label;
};
constexpr std::array<RoleText, 10> kRoles{{{Role::kRow, "row", "row of the table"},
                                           {Role::kRun, "run", "one training run"},
                                           {Role::kCompleted, "completed", "completed trial"},
                                           {Role::kStopped, "stopped", "stopped early"},
                                           {Role::kBest, "best", "best trial"},
                                           {Role::kBestSoFar, "best-so-far", "best so far"},
                                           {Role::kFront, "front", "Pareto front"},
                                           {Role::kCurve, "curve", "trial"},
                                           {Role::kStoppedCurve, "stopped-curve", "stopped early"},
                                           {Role::kBestCurve, "best-curve", "best trial"}}};

const RoleText& text_of(Role role) {
  for (const RoleText& row : kRoles)
    if (row.role == role) return row;
  broken_invariant("a role of the table", __FILE__, __LINE__);
}

const char* scale_name(AxisScale scale) {
  switch (scale) {
    case AxisScale::kLinear:
      return "linear";
    case AxisScale::kLog:
      return "log";
    case AxisScale::kReverseLog:
      return "reverse_log";
    case AxisScale::kCategories:
      return "categories";
  }
  broken_invariant("a scale of an axis", __FILE__, __LINE__);
}

Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(number_text(value).c_str(), nullptr);
}

Json rounded(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(rounded(value));
  return list;
}

Json axis_json(const Axis& axis) {
  Json json = {{"title", axis.title}, {"scale", scale_name(axis.scale)}};
  if (axis.min) json["min"] = rounded(*axis.min);
  if (axis.max) json["max"] = rounded(*axis.max);
  if (axis.step) json["step"] = rounded(*axis.step);
  if (!axis.labels.empty()) json["labels"] = axis.labels;
  if (axis.usd_per_unit) json["usd_per_unit"] = *axis.usd_per_unit;
  return json;
}

// Takes what lies beyond the outer fence off the bad end, if that leaves the rest much more room.
void cut_bad_end(std::vector<double>& ascending, Goal goal) {
  if (ascending.size() < kFewest) return;
  const double low = quantile(ascending, 0.25), high = quantile(ascending, 0.75);
  const double reach = kOuterFence * (high - low);
  if (reach <= 0) return;  // most values are equal: every other one would be far out
  const auto begin = goal == Goal::kMinimize
                         ? ascending.begin()
                         : std::lower_bound(ascending.begin(), ascending.end(), low - reach);
  const auto end =
      goal == Goal::kMinimize ? std::upper_bound(begin, ascending.end(), high + reach) : ascending.end();
  if (ascending.back() - ascending.front() < kWorthCutting * (*(end - 1) - *begin)) return;
  ascending = std::vector<double>(begin, end);
}

// 1, 2, 2.5 or 5 times a power of ten, so that about kWantedIntervals of it make the range.
double round_step(double range) {
  const double raw = range / kWantedIntervals, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0})
    if (raw <= factor * power * (1 + 1e-9)) return factor * power;
  return 10 * power;
}

}  // namespace

const char* role_name(Role role) { return text_of(role).name; }
const char* role_label(Role role) { return text_of(role).label; }

Json chart_json(const Chart& chart) {
  Json series = Json::array();
  for (const Series& one : chart.series) {
    TUNE_CHECK(one.x.size() == one.y.size(), chart.id);
    TUNE_CHECK(one.trials.size() <= 1 || one.trials.size() == one.x.size(), chart.id);
    TUNE_CHECK(one.names.empty() || one.names.size() == one.x.size(), chart.id);
    series.push_back({{"role", role_name(one.role)},
                      {"label", role_label(one.role)},
                      {"x", rounded(one.x)},
                      {"y", rounded(one.y)},
                      {"trials", one.trials}});
    if (!one.names.empty()) series.back()["names"] = one.names;
  }
  return {{"id", chart.id}, {"x", axis_json(chart.x)}, {"y", axis_json(chart.y)}, {"series", series}};
}

Axis value_axis(const std::vector<double>& values, const Objective& objective) {
  Axis axis;
  axis.title = objective.metric;
  std::vector<double> shown;
  for (const double value : values)
    if (std::isfinite(value)) shown.push_back(value);
  if (shown.empty()) return axis;
  std::sort(shown.begin(), shown.end());
  cut_bad_end(shown, objective.goal);
  const double low = shown.front(), high = shown.back();
  if (objective.goal == Goal::kMinimize && low > 0 && high / low >= kDecadesToLog) {
    axis.scale = AxisScale::kLog;
    axis.min = low / 1.2;
    axis.max = high * 1.2;
  } else {
    end_on_round_numbers(low, high, axis);
  }
  return axis;
}

void end_on_round_numbers(double low, double high, Axis& axis) {
  // One value alone gets a neighbourhood.
  const double range = high > low ? high - low : std::max(std::abs(high) * 0.2, 1e-12);
  if (!std::isfinite(range)) return;
  const double step = round_step(range);
  // Many steps from zero a double no longer tells neighbours apart.
  if (std::max(std::abs(low), std::abs(high)) / step > 1e12) return;
  axis.step = step;
  axis.min = std::floor(low / step + 1e-9) * step;
  axis.max = std::ceil(high / step - 1e-9) * step;
  if (*axis.max <= *axis.min) axis.max = *axis.min + step;
}

bool is_shown(double value, const Axis& axis) {
  // The ends are multiples of a step, and rounding may put 0.05 * 17 beyond 0.85.
  const double slack = axis.step ? *axis.step * 1e-9 : 0;
  return std::isfinite(value) && (!axis.min || value >= *axis.min - slack) &&
         (!axis.max || value <= *axis.max + slack);
}

std::vector<MetricPoint> thinned(const std::vector<MetricPoint>& curve, std::size_t most) {
  std::vector<MetricPoint> kept;
  const auto keep = [&kept](MetricPoint point) {
    if (!std::isfinite(point.value)) point.value = kNan;
    const bool repeats = !kept.empty() && std::isnan(kept.back().value) && std::isnan(point.value);
    if (!repeats) kept.push_back(point);
  };
  if (curve.size() <= std::max<std::size_t>(most, 4)) {
    for (const MetricPoint& point : curve) keep(point);
    return kept;
  }
  const std::size_t inner = curve.size() - 2;
  const std::size_t stretches = std::max<std::size_t>(1, (std::max<std::size_t>(most, 4) - 2) / 2);
  keep(curve.front());
  for (std::size_t i = 0; i < stretches; ++i) {
    const auto begin = curve.begin() + 1 + static_cast<std::ptrdiff_t>(inner * i / stretches);
    const auto end = curve.begin() + 1 + static_cast<std::ptrdiff_t>(inner * (i + 1) / stretches);
    auto smallest = end, largest = end, broken = end;
    for (auto point = begin; point != end; ++point) {
      if (!std::isfinite(point->value)) {
        broken = point;
        continue;
      }
      if (smallest == end || point->value < smallest->value) smallest = point;
      if (largest == end || point->value > largest->value) largest = point;
    }
    std::array<std::vector<MetricPoint>::const_iterator, 3> chosen{smallest, largest, broken};
    std::sort(chosen.begin(), chosen.end());
    auto last = end;
    for (const auto point : chosen) {
      if (point == end || point == last) continue;
      keep(*point);
      last = point;
    }
  }
  keep(curve.back());
  return kept;
}

}  // namespace tune::report
