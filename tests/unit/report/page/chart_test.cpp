#include "tuner/report/page/chart.h"

#include <cmath>
#include <limits>

#include "support/catch.h"

namespace tune::report {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kEndless = std::numeric_limits<double>::infinity();
const Objective kLoss{"loss", Goal::kMinimize, Reduce::kBest};
const Objective kAccuracy{"accuracy", Goal::kMaximize, Reduce::kBest};

std::vector<MetricPoint> curve_of(const std::vector<double>& values) {
  std::vector<MetricPoint> curve;
  for (const double value : values) curve.push_back({static_cast<std::int64_t>(curve.size()) + 1, value});
  return curve;
}

TEST_CASE("an axis ends on round numbers and shows every ordinary value", "[chart]") {
  const Axis axis = value_axis({0.153, 0.262, 0.241, 0.19}, kAccuracy);
  CHECK(axis.scale == AxisScale::kLinear);
  CHECK(*axis.min == Approx(0.15));
  CHECK(*axis.max == Approx(0.275));
  CHECK(*axis.step == Approx(0.025));
}

TEST_CASE("a diverged trial is beyond the axis, a very good one never", "[chart]") {
  std::vector<double> losses = {1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7};
  losses.push_back(1e9);
  losses.push_back(-20);
  const Axis axis = value_axis(losses, kLoss);
  CHECK_FALSE(is_shown(1e9, axis));
  CHECK(is_shown(-20, axis));
  CHECK(is_shown(1.7, axis));
  // The other goal, the other side.
  for (double& loss : losses) loss = -loss;
  CHECK_FALSE(is_shown(-1e9, value_axis(losses, kAccuracy)));
  CHECK(is_shown(20, value_axis(losses, kAccuracy)));
}

TEST_CASE("what is merely bad is shown", "[chart]") {
  std::vector<double> accuracies = {0.47, 0.47, 0.471, 0.472, 0.473, 0.474, 0.475, 0.45, 0.44, 0.42};
  accuracies.push_back(0.4);
  CHECK(is_shown(0.4, value_axis(accuracies, kAccuracy)));
}

TEST_CASE("values that are not finite have no place on an axis", "[chart]") {
  const Axis axis = value_axis({kNoNumber, 1, kEndless, 2, -kEndless}, kLoss);
  CHECK(*axis.min <= 1);
  CHECK(*axis.max >= 2);
  CHECK(*axis.max < 3);
  CHECK_FALSE(is_shown(kEndless, axis));
  CHECK_FALSE(is_shown(kNoNumber, axis));
  CHECK_FALSE(value_axis({kNoNumber}, kLoss).min.has_value());
  CHECK_FALSE(value_axis({}, kLoss).min.has_value());
}

TEST_CASE("equal values have an axis with room around them", "[chart]") {
  for (const double value : {0.0, 1.0, -3.5, 1e-12, 1e300, 5e-324}) {
    const Axis axis = value_axis({value, value, value}, kAccuracy);
    INFO(value);
    CHECK(is_shown(value, axis));
    if (axis.min) CHECK(*axis.min < *axis.max);
  }
}

TEST_CASE("a positive loss over two orders of magnitude gets a logarithmic axis, an accuracy never",
          "[chart]") {
  const std::vector<double> values = {0.01, 0.02, 0.5, 0.7, 1.0, 1.5};
  CHECK(value_axis(values, kLoss).scale == AxisScale::kLog);
  CHECK(value_axis(values, kAccuracy).scale == AxisScale::kLinear);
  CHECK(value_axis({-0.01, 0.02, 0.5, 1.5}, kLoss).scale == AxisScale::kLinear);
}

TEST_CASE("a thinned curve keeps its ends, its smallest and its largest value", "[chart]") {
  std::vector<double> values;
  for (int i = 0; i < 10'000; ++i) values.push_back(std::sin(i * 0.01));
  values[3333] = 9;
  values[7777] = -9;
  const auto thin = thinned(curve_of(values), 100);
  CHECK(thin.size() <= 100);
  CHECK(thin.size() > 80);
  CHECK(thin.front().step == 1);
  CHECK(thin.back().step == 10'000);
  int peaks = 0;
  for (std::size_t i = 0; i < thin.size(); ++i) {
    if (i > 0) CHECK(thin[i - 1].step < thin[i].step);
    CHECK(thin[i].value == values[static_cast<std::size_t>(thin[i].step) - 1]);
    peaks += (thin[i].step == 3334) + (thin[i].step == 7778);
  }
  CHECK(peaks == 2);
}

TEST_CASE("a short curve is kept as it is, and gaps stay gaps", "[chart]") {
  const auto thin = thinned(curve_of({1, kNoNumber, kEndless, 2}), 10);
  REQUIRE(thin.size() == 3);
  CHECK(std::isnan(thin[1].value));
  CHECK(thin[2].value == 2);
  CHECK(thinned({}, 10).empty());
  std::vector<double> values(1000, 1.0);
  for (std::size_t i = 400; i < 600; ++i) values[i] = kNoNumber;
  bool has_gap = false;
  for (const MetricPoint& point : thinned(curve_of(values), 20)) has_gap |= std::isnan(point.value);
  CHECK(has_gap);
}

TEST_CASE("a chart's numbers are rounded to six digits, and gaps are null", "[chart]") {
  Chart chart;
  chart.id = "c";
  chart.series = {{Role::kCurve, {1, 2}, {1.0 / 3, kNoNumber}, {7}}};
  const Json json = chart_json(chart);
  CHECK(json.at("series").at(0).at("y") == Json::parse("[0.333333,null]"));
  CHECK(json.at("series").at(0).at("role") == "curve");
}

}  // namespace
}  // namespace tune::report
