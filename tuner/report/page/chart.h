#pragma once
// Charts as data: what is drawn, on which axes. A page's script draws them; nothing is computed there.
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/json.h"

namespace tune::report {

enum class AxisScale { kLinear, kLog, kReverseLog, kCategories };

struct Axis {
  std::string title;
  AxisScale scale = AxisScale::kLinear;
  std::optional<double> min, max, step;  // absent: as the data needs; `step` on linear axes only
  std::vector<std::string> labels;       // of categories: label k stands at k
  std::optional<double> usd_per_unit;    // shows dollars below each tick
};

// One kind of mark, drawn and coloured by its role. A NaN in y breaks a line.
enum class Role {
  kRow,           // points with their names beside them
  kRun,           // small points
  kCompleted,     // points
  kStopped,       // points
  kBest,          // a point that stands out
  kBestSoFar,     // a line of steps
  kFront,         // a line of steps through the best trade-offs
  kCurve,         // a line
  kStoppedCurve,  // a dashed line with a mark at its end
  kBestCurve,     // a line that stands out
};
const char* role_name(Role role);   // "completed", for the page's script and styles
const char* role_label(Role role);  // "completed trial", for people

struct Series {
  Role role = Role::kCompleted;
  std::vector<double> x, y;
  std::vector<int> trials;  // one a point, or one for all of them; none where the points have names
  std::vector<std::string> names = {};  // one a point, or none
};

struct Chart {
  std::string id;       // of letters, digits and '-'
  std::string title;    // what is shown, for the figure's caption
  std::string summary;  // what it says, for those who do not see it
  std::string note;     // what was left out or thinned; may be empty
  Axis x, y;
  std::vector<Series> series;  // the later above the earlier
};

Json chart_json(const Chart& chart);  // numbers to six significant digits

// An axis for values of an objective, that ends on round numbers. The bad side ends at the outer fence, three
// interquartile ranges beyond the quartile (Tukey, "Exploratory Data Analysis", 1977), where what lies beyond
// it would flatten all others to less than a fifth of the axis; the good side shows everything. Logarithmic
// for a minimized objective that is positive and spans two orders of magnitude. Non-finite values are passed
// over.
Axis value_axis(const std::vector<double>& values, const Objective& objective);
// Lets the axis reach from `low` to `high` or a little further, on round numbers at both ends.
void end_on_round_numbers(double low, double high, Axis& axis);
// Whether the axis shows the value.
bool is_shown(double value, const Axis& axis);

// At most about `most` points of a curve, its shape kept: first and last, and of each stretch in between the
// smallest and the largest. Non-finite values stay as NaN, one for each run of them.
std::vector<MetricPoint> thinned(const std::vector<MetricPoint>& curve, std::size_t most);

}  // namespace tune::report
