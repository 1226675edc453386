// What the charts of a comparison show.
#include <algorithm>
#include <cmath>

#include "tuner/compare/comparison_document.h"
#include "tuner/core/front.h"
#include "tuner/core/number_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/report/text/format.h"

namespace tune::compare {
namespace {

constexpr double kLogRatio = 30;  // dearest row over cheapest
constexpr std::size_t kPointsOfACurve = 300;
constexpr double kRoomForNames = 1.3;  // of the longest curve

std::string leaking_mark(bool leaks) { return leaks ? " (leaking)" : ""; }

std::string score_number(double score, const TestNumber& test) {
  return number_text(test.range ? std::round(score * 1000) / 1000 : score);
}

struct RowUnit {
  const char* name;
  double hours;
};

RowUnit row_unit(double hours) {
  if (hours >= 2) return {"hours", 1};
  if (hours * 60 >= 2) return {"minutes", 1.0 / 60};
  return {"seconds", 1.0 / 3600};
}

// Positions in report.rows of those with a score.
std::vector<std::size_t> scored_rows(const ComparisonReport& report) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < report.rows.size(); ++i)
    if (report.rows[i].score) rows.push_back(i);
  return rows;
}

void add_point(report::Series& series, double x, double y, const std::string& name) {
  series.x.push_back(x);
  series.y.push_back(y);
  series.names.push_back(name);
}

report::Chart curve_chart(const ComparisonMaterial& material, const std::string& metric, bool minimize) {
  const ComparisonReport& report = material.report;
  report::Chart chart;
  chart.id = "chart-curves";
  chart.title = metric + leaking_mark(report.validation_leaks) + " by step";
  chart.note = "Each row shows its run with the best validation.";
  chart.x.title = "step";
  report::Series ends{report::Role::kRow, {}, {}, {}, {}};
  std::vector<double> values;
  double longest = 0;
  for (std::size_t i = 0; i < material.rows.size(); ++i) {
    const std::vector<MetricPoint>& curve = material.rows[i].curve;
    if (curve.empty() || report.rows[i].validation_metric != metric) continue;
    const std::string name = row_name(report.rows[i]);
    report::Series line{report::Role::kCurve, {}, {}, {}, {}};
    for (const MetricPoint& point : report::thinned(curve, kPointsOfACurve)) {
      add_point(line, static_cast<double>(point.step), point.value, name);
      values.push_back(point.value);
    }
    longest = std::max(longest, line.x.back());
    add_point(ends, line.x.back(), line.y.back(), name);
    chart.series.push_back(std::move(line));
  }
  Objective objective;
  objective.metric = chart.title;
  objective.goal = minimize ? Goal::kMinimize : Goal::kMaximize;
  chart.y = report::value_axis(values, objective);
  chart.y.title = metric;
  report::end_on_round_numbers(0, longest * kRoomForNames, chart.x);
  for (std::size_t i = 0; i < ends.x.size(); ++i)
    chart.summary += (i == 0 ? "" : "; ") + ends.names[i] + " ends at " + number_text(ends.y[i]);
  chart.summary += ".";
  chart.series.push_back(std::move(ends));
  return chart;
}

}  // namespace

std::vector<std::size_t> pareto_rows(const ComparisonReport& report) {
  const std::vector<std::size_t> rows = scored_rows(report);
  std::vector<LossPair> points;
  for (const std::size_t i : rows)
    points.push_back(
        cost_and_loss(report.rows[i].cost.device_hours, *report.rows[i].score, report.test.goal));
  std::vector<std::size_t> front;
  for (const std::size_t k : front_of(points)) front.push_back(rows[k]);
  return front;
}

std::vector<report::Chart> comparison_charts(const ComparisonMaterial& material) {
  const ComparisonReport& report = material.report;
  const std::vector<std::size_t> rows = scored_rows(report);
  double dearest = 0, cheapest = 0;
  for (const std::size_t i : rows) {
    const double hours = report.rows[i].cost.device_hours;
    dearest = std::max(dearest, hours);
    cheapest = cheapest == 0 ? hours : std::min(cheapest, hours);
  }
  if (dearest <= 0) return {};
  const RowUnit unit = row_unit(dearest);
  const auto place = [&](std::size_t i) { return report.rows[i].cost.device_hours / unit.hours; };
  report::Chart chart;
  chart.id = "chart-accuracy-cost";
  const std::string title = report.test.title() + leaking_mark(report.test_leaks);
  chart.title = "T" + title.substr(1) + " against what a row cost";
  chart.note =
      "Small points are single training runs, large ones their mean, or the chosen one of several seeds.";
  chart.x.title =
      std::string("device time of a row, ") + unit.name + (report.usd_per_hour ? " and dollars" : "");
  if (cheapest > 0 && dearest / cheapest >= kLogRatio) {
    chart.x.scale = report::AxisScale::kLog;
    chart.x.min = cheapest / unit.hours / 1.5;
    chart.x.max = dearest / unit.hours * 1.5;
  } else {
    report::end_on_round_numbers(0, dearest / unit.hours * 1.1, chart.x);
  }
  if (report.usd_per_hour) chart.x.usd_per_unit = *report.usd_per_hour * unit.hours;
  report::Series front{report::Role::kFront, {}, {}, {}, {}}, runs{report::Role::kRun, {}, {}, {}, {}},
      points{report::Role::kRow, {}, {}, {}, {}};
  std::vector<double> values;
  for (const std::size_t i : rows) {
    const ComparisonRow& row = report.rows[i];
    add_point(points, place(i), *row.score, row_name(row));
    values.push_back(*row.score);
    for (const RunRow& run : row.runs) {
      if (!run.score) continue;
      add_point(runs, place(i), *run.score, run.study + ", trial " + std::to_string(run.trial));
      values.push_back(*run.score);
    }
  }
  const std::vector<std::size_t> best = pareto_rows(report);
  for (const std::size_t i : best)
    add_point(front, place(i), *report.rows[i].score, row_name(report.rows[i]));
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  report::end_on_round_numbers(*low, *high, chart.y);
  chart.y.title = title;
  chart.series = {std::move(front), std::move(runs), std::move(points)};
  chart.summary = plural_text(rows.size(), "row") +
                  "; on the Pareto front, where no other row is both cheaper and better: ";
  for (const std::size_t i : best)
    chart.summary += (i == best.front() ? "" : "; ") + row_name(report.rows[i]) + ", " + report.test.name +
                     " " + score_number(*report.rows[i].score, report.test) + " for " +
                     report::hours_text(report.rows[i].cost.device_hours);
  chart.summary += ".";
  return {std::move(chart)};
}

std::vector<report::Chart> comparison_curves(const ComparisonMaterial& material) {
  std::map<std::string, bool> metrics;
  for (std::size_t i = 0; i < material.rows.size(); ++i)
    if (!material.rows[i].curve.empty())
      metrics[material.report.rows[i].validation_metric] = material.report.rows[i].lower_validation_is_better;
  std::vector<report::Chart> charts;
  for (const auto& [metric, minimize] : metrics) {
    charts.push_back(curve_chart(material, metric, minimize));
    charts.back().id += "-" + std::to_string(charts.size());
  }
  return charts;
}

}  // namespace tune::compare
