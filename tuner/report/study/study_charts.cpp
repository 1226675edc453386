// What the charts of a study show.
#include <algorithm>
#include <cmath>

#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/numbers/savings.h"
#include "tuner/report/numbers/study_front.h"
#include "tuner/report/study/study_document.h"
#include "tuner/report/text/format.h"

namespace tune::report {
namespace {

constexpr std::size_t kPointsOfAllCurves =
    40'000;  // of all curves of a page: quick to draw, and half a megabyte
constexpr std::size_t kFewestPoints = 16, kMostPoints = 400;  // of one curve
constexpr std::size_t kListed = 5;                            // trials that a note names
constexpr double kHourInSeconds = 3600;

// Objectives are counted from 0.
bool has_point(const store::TrialRow& trial, std::size_t objective = 0) {
  const bool counts = trial.state == TrialState::kCompleted || trial.state == TrialState::kStopped;
  return counts && objective < trial.values.size() && std::isfinite(trial.values[objective]);
}

std::vector<Objective> objectives_of(const store::StudyRow& study) {
  return study.second ? std::vector<Objective>{study.objective, *study.second}
                      : std::vector<Objective>{study.objective};
}

int best_number(const StudyMaterial& material) {
  const auto best = best_trial(material.rows);
  return best ? best->number : 0;
}

Axis objective_axis(const StudyMaterial& material, std::size_t objective = 0) {
  std::vector<double> values;
  for (const auto& trial : material.rows.trials)
    if (has_point(trial, objective)) values.push_back(trial.values[objective]);
  return value_axis(values, objectives_of(material.rows.study)[objective]);
}

// "2 trials lie beyond the axis: trial 4 (12.5), trial 9 (inf)."
std::string beyond_note(const std::vector<const store::TrialRow*>& beyond, std::size_t objective) {
  if (beyond.empty()) return {};
  std::string text = std::to_string(beyond.size()) +
                     (beyond.size() == 1 ? " trial lies beyond the axis: " : " trials lie beyond the axis: ");
  for (std::size_t i = 0; i < beyond.size() && i < kListed; ++i)
    text += (i == 0 ? "trial " : ", trial ") + std::to_string(beyond[i]->number) + " (" +
            value_text(*beyond[i], objective) + ")";
  return text + (beyond.size() > kListed ? ", and others." : ".");
}

// Completed and stopped trials and the best one as points, where `x` gives each its place.
template <typename Place>
void add_points(const StudyMaterial& material, Chart& chart, Place x, std::size_t objective = 0) {
  Series completed{Role::kCompleted, {}, {}, {}}, stopped{Role::kStopped, {}, {}, {}},
      best{Role::kBest, {}, {}, {}};
  const int best_is = best_number(material);
  std::vector<const store::TrialRow*> beyond;
  for (const auto& trial : material.rows.trials) {
    if (!has_point(trial, objective)) continue;
    const std::optional<double> at = x(trial);
    if (!at) continue;
    if (!is_shown(trial.values[objective], chart.y)) {
      beyond.push_back(&trial);
      continue;
    }
    Series& series = trial.number == best_is                 ? best
                     : trial.state == TrialState::kCompleted ? completed
                                                             : stopped;
    series.x.push_back(*at);
    series.y.push_back(trial.values[objective]);
    series.trials.push_back(trial.number);
  }
  chart.note = beyond_note(beyond, objective);
  for (Series* series : {&stopped, &completed, &best})
    if (!series->x.empty()) chart.series.push_back(std::move(*series));
}

std::string points_text(const Chart& chart) {
  std::size_t completed = 0, stopped = 0;
  for (const Series& series : chart.series) {
    if (series.role == Role::kCompleted || series.role == Role::kBest) completed += series.x.size();
    if (series.role == Role::kStopped) stopped += series.x.size();
  }
  if (stopped == 0) return plural_text(completed, "completed trial");
  return std::to_string(completed) + " completed and " + plural_text(stopped, "stopped trial");
}

std::string best_text_of(const StudyMaterial& material) {
  const auto best = best_trial(material.rows);
  const bool is_pair = material.rows.study.second.has_value();
  if (is_pair && !best) return "no one is the best in both objectives";
  return best ? std::string(is_pair ? "the preferred one" : "the best") + " is trial " +
                    std::to_string(best->number) + " with " + value_text(*best)
              : "none has completed";
}

struct TimeUnit {
  const char* name;
  double hours;
};

TimeUnit unit_for(double hours) {
  if (hours >= 2) return {"hours", 1};
  if (hours * 60 >= 2) return {"minutes", 1.0 / 60};
  return {"seconds", 1 / kHourInSeconds};
}

// nullopt while no trial has a point.
std::optional<Chart> history_chart(const StudyMaterial& material, std::size_t index) {
  const Objective objective = objectives_of(material.rows.study)[index];
  Chart chart;
  chart.id = index == 0 ? "chart-history" : "chart-history-second";
  chart.title = objective.metric + " by trial";
  chart.x.title = "trial";
  chart.y = objective_axis(material, index);
  Series so_far{Role::kBestSoFar, {}, {}, {}};
  std::optional<double> best;
  int improvements = 0;
  for (const auto& trial : material.rows.trials) {
    if (trial.facts.replicate_of || trial.facts.rerun_of) continue;
    if (trial.state == TrialState::kCompleted && has_point(trial, index) &&
        (!best || is_better(trial.values[index], *best, objective.goal))) {
      best = trial.values[index];
      ++improvements;
    }
    if (!best) continue;
    so_far.x.push_back(trial.number);
    so_far.y.push_back(*best);
    so_far.trials.push_back(trial.number);
  }
  if (!so_far.x.empty()) chart.series.push_back(std::move(so_far));
  add_points(
      material, chart, [](const auto& trial) { return std::optional<double>(trial.number); }, index);
  if (chart.series.empty()) return std::nullopt;
  chart.summary = points_text(chart) + " in the order in which they were suggested; " +
                  (material.rows.study.second ? "the best " + objective.metric + " so far is drawn"
                                              : best_text_of(material)) +
                  ", after " + std::to_string(improvements) +
                  (improvements == 1 ? " improvement." : " improvements.");
  return chart;
}

}  // namespace

std::vector<Chart> history_charts(const StudyMaterial& material) {
  std::vector<Chart> charts;
  for (std::size_t i = 0; i < objectives_of(material.rows.study).size(); ++i)
    if (auto chart = history_chart(material, i)) charts.push_back(*std::move(chart));
  return charts;
}

std::vector<Chart> cost_charts(const StudyMaterial& material) {
  const StudyRows& rows = material.rows;
  const std::optional<double> price = usd_per_hour(rows.study);
  const CostReport costs = costs_of(rows);
  double longest = 0;
  for (const auto& trial : rows.trials)
    if (has_point(trial)) longest = std::max(longest, costs.of(trial.number).total.device_hours);
  if (longest <= 0) return {};
  const TimeUnit unit = unit_for(longest);
  Chart chart;
  chart.id = "chart-cost";
  chart.title = rows.study.objective.metric + " against device time";
  chart.x.title = std::string("device time of a trial, ") + unit.name + (price ? " and dollars" : "");
  end_on_round_numbers(0, longest / unit.hours, chart.x);
  if (price) chart.x.usd_per_unit = *price * unit.hours;
  chart.y = objective_axis(material);
  const auto hours = [&](const store::TrialRow& trial) { return costs.of(trial.number).total.device_hours; };
  const std::vector<store::TrialRow> efficient = cheapest_and_best(rows, costs);
  Series front{Role::kFront, {}, {}, {}};
  for (const auto& trial : efficient) {
    if (!is_shown(trial.values.front(), chart.y)) continue;
    front.x.push_back(hours(trial) / unit.hours);
    front.y.push_back(trial.values.front());
    front.trials.push_back(trial.number);
  }
  if (!front.x.empty()) chart.series.push_back(std::move(front));
  add_points(material, chart,
             [&](const auto& trial) { return std::optional<double>(hours(trial) / unit.hours); });
  chart.summary = points_text(chart) +
                  "; on the Pareto front, where no other completed trial is both cheaper and better, " +
                  (efficient.size() == 1 ? "is one." : "are " + std::to_string(efficient.size()) + ".");
  return {std::move(chart)};
}

std::vector<Chart> front_charts(const StudyMaterial& material) {
  const std::optional<StudyFront> front = study_front(material.rows);
  if (!front || front->trials.empty()) return {};
  const auto has_both = [](const store::TrialRow& trial) {
    return has_point(trial) && trial.values.size() == 2 && std::isfinite(trial.values[1]);
  };
  std::vector<double> values;
  for (const auto& trial : material.rows.trials)
    if (has_both(trial)) values.push_back(trial.values[1]);
  Chart chart;
  chart.id = "chart-front";
  chart.title = front->objectives[0].metric + " against " + front->objectives[1].metric;
  chart.x = value_axis(values, front->objectives[1]);
  chart.y = objective_axis(material);
  // From the best of the second objective on, as the page draws steps.
  Series line{Role::kFront, {}, {}, {}};
  for (auto trial = front->trials.rbegin(); trial != front->trials.rend(); ++trial) {
    if (!is_shown(trial->values[0], chart.y) || !is_shown(trial->values[1], chart.x)) continue;
    line.x.push_back(trial->values[1]);
    line.y.push_back(trial->values[0]);
    line.trials.push_back(trial->number);
  }
  if (!line.x.empty()) chart.series.push_back(std::move(line));
  std::size_t beyond = 0;
  add_points(material, chart, [&](const store::TrialRow& trial) -> std::optional<double> {
    if (!has_both(trial)) return std::nullopt;
    if (is_shown(trial.values[1], chart.x)) return trial.values[1];
    ++beyond;
    return std::nullopt;
  });
  if (beyond > 0)
    chart.note += std::string(chart.note.empty() ? "" : " ") + plural_text(beyond, "trial") +
                  " beyond the axis of " + front->objectives[1].metric + " left out.";
  chart.summary = points_text(chart) +
                  "; on the Pareto front, where no other completed trial is better in both, " +
                  (front->trials.size() == 1 ? "is one" : "are " + std::to_string(front->trials.size())) +
                  (front->preferred ? "; the one that stands out is preferred." : ".");
  return {std::move(chart)};
}

std::vector<Chart> curve_charts(const StudyMaterial& material) {
  if (material.curves.empty()) return {};
  const StudyRows& rows = material.rows;
  const std::size_t share =
      std::clamp(kPointsOfAllCurves / material.curves.size(), kFewestPoints, kMostPoints);
  Chart chart;
  chart.id = "chart-curves";
  chart.title = rows.study.objective.metric + " by step";
  chart.x.title = "step";
  std::vector<double> values;
  std::size_t longest = 0, stopped = 0;
  for (const auto& [number, curve] : material.curves) {
    longest = std::max(longest, curve.size());
    for (const MetricPoint& point : curve) values.push_back(point.value);
  }
  chart.y = value_axis(values, rows.study.objective);
  const int best_is = best_number(material);
  std::optional<Series> best;
  for (const auto& trial : rows.trials) {
    const auto curve = material.curves.find(trial.number);
    if (curve == material.curves.end()) continue;
    Series series;
    series.role = trial.number == best_is               ? Role::kBestCurve
                  : trial.state == TrialState::kStopped ? Role::kStoppedCurve
                                                        : Role::kCurve;
    stopped += series.role == Role::kStoppedCurve ? 1 : 0;
    series.trials = {trial.number};
    const std::size_t most = series.role == Role::kBestCurve ? kMostPoints : share;
    for (const MetricPoint& point : thinned(curve->second, most)) {
      series.x.push_back(static_cast<double>(point.step));
      series.y.push_back(point.value);
    }
    if (series.role == Role::kBestCurve)
      best = std::move(series);
    else
      chart.series.push_back(std::move(series));
  }
  if (best) chart.series.push_back(std::move(*best));
  chart.summary = "Curves of " + plural_text(chart.series.size(), "trial") +
                  (stopped > 0 ? ", " + std::to_string(stopped) + " of them stopped early" : "") + "; " +
                  best_text_of(material) + ".";
  if (longest > share)
    chart.note = "Long curves are thinned to about " + std::to_string(share) + " of up to " +
                 std::to_string(longest) + " points each (the best one to " + std::to_string(kMostPoints) +
                 "): of each stretch the smallest and the largest value are drawn.";
  const auto beyond = std::count_if(values.begin(), values.end(), [&](double value) {
    return std::isfinite(value) && !is_shown(value, chart.y);
  });
  if (beyond > 0)
    chart.note += std::string(chart.note.empty() ? "" : " ") + std::to_string(beyond) + " of " +
                  std::to_string(values.size()) + " values lie beyond the axis.";
  return {std::move(chart)};
}

namespace {

Axis parameter_axis(const Parameter& parameter) {
  Axis axis;
  axis.title = parameter.name;
  if (parameter.type == ParameterType::kCategorical) {
    axis.scale = AxisScale::kCategories;
    for (const Json& value : parameter.values) axis.labels.push_back(argument_text(value));
    return axis;
  }
  if (parameter.max > parameter.min) {
    axis.min = parameter.min;
    axis.max = parameter.max;
  }
  if (parameter.scale == Scale::kLog) axis.scale = AxisScale::kLog;
  if (parameter.scale == Scale::kReverseLog) axis.scale = AxisScale::kReverseLog;
  return axis;
}

// nullopt where the parameter was not active, or where the value is none of the space's.
std::optional<double> place_of(const store::TrialRow& trial, const Parameter& parameter) {
  const auto found = trial.parameters.find(parameter.name);
  if (found == trial.parameters.end()) return std::nullopt;
  if (parameter.type != ParameterType::kCategorical) {
    if (!found->second.is_number()) return std::nullopt;
    return found->second.get<double>();
  }
  const auto value = std::find(parameter.values.begin(), parameter.values.end(), found->second);
  if (value == parameter.values.end()) return std::nullopt;
  return static_cast<double>(value - parameter.values.begin());
}

const char* axis_words(const Axis& axis) {
  if (axis.scale == AxisScale::kLog) return ", on a logarithmic axis";
  if (axis.scale == AxisScale::kReverseLog) return ", on an axis logarithmic in the distance from 1";
  return "";
}

}  // namespace

std::vector<Chart> slice_charts(const StudyMaterial& material) {
  std::vector<Chart> charts;
  if (!material.space) return charts;
  const std::vector<Objective> objectives = objectives_of(material.rows.study);
  for (const Parameter& parameter : material.space->parameters()) {
    for (std::size_t i = 0; i < objectives.size(); ++i) {
      Chart chart;
      chart.id = "chart-slice-" + std::to_string(charts.size() + 1);
      chart.title = objectives[i].metric + " against " + parameter.name;
      chart.x = parameter_axis(parameter);
      chart.y = objective_axis(material, i);
      add_points(
          material, chart, [&](const auto& trial) { return place_of(trial, parameter); }, i);
      if (chart.series.empty()) continue;
      if (!chart.note.empty()) chart.note = "Some trials lie beyond the axis: the search history names them.";
      chart.summary = points_text(chart) + axis_words(chart.x) + ".";
      charts.push_back(std::move(chart));
    }
  }
  return charts;
}

}  // namespace tune::report
