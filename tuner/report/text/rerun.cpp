#include "tuner/report/text/rerun.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "tuner/core/metric_names.h"
#include "tuner/core/number_text.h"
#include "tuner/core/plural_text.h"

namespace tune::report {
namespace {

using Curves = std::map<std::string, std::map<std::int64_t, double>>;  // by metric and step

Curves curves_of(const std::vector<store::MetricRow>& metrics) {
  Curves curves;
  for (const store::MetricRow& row : metrics)
    if (!row.name.starts_with(kBookkeeping)) curves[row.name][row.point.step] = row.point.value;
  return curves;
}

bool is_same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool is_same_curve(const std::map<std::int64_t, double>& a, const std::map<std::int64_t, double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first == other.first && is_same_number(one.second, other.second);
  });
}

std::optional<double> value_of(const store::TrialRow& trial) {
  return trial.values.empty() ? std::nullopt : std::optional(trial.values.front());
}

std::string state_words(const store::TrialRow& trial) {
  return std::string(to_string(trial.state)) + (trial.failure.empty() ? "" : " (" + trial.failure + ")");
}

// The first step at which two curves differ, and the largest difference where both have a value.
struct Difference {
  std::optional<std::int64_t> first;
  double before = 0, after = 0;  // there
  double largest = 0;
};

Difference difference_of(const std::map<std::int64_t, double>& a, const std::map<std::int64_t, double>& b) {
  Difference difference;
  for (const auto& [step, before] : a) {
    const auto after = b.find(step);
    if (after == b.end() || is_same_number(before, after->second)) continue;
    if (!difference.first) difference = {step, before, after->second, 0};
    if (std::isfinite(before) && std::isfinite(after->second))
      difference.largest = std::max(difference.largest, std::abs(after->second - before));
  }
  return difference;
}

std::string names_text(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string how_values_differ(const Objective& objective, const std::optional<double>& before,
                              const std::optional<double>& after) {
  const auto shown = [](const std::optional<double>& value) { return value ? shortest(*value) : "no value"; };
  if (!before || !after || is_same_number(*before, *after))
    return objective.metric + ' ' + shown(before) + (before == after ? "" : ", now " + shown(after));
  const double change = *after - *before;
  return objective.metric + ' ' + shown(before) + ", now " + shown(after) + " (" + (change > 0 ? "+" : "") +
         number_text(change) + ")";
}

Json number_or_null(const std::optional<double>& value) { return value ? number_to_json(*value) : Json(); }

}  // namespace

RerunComparison compare_rerun(const store::TrialRow& first,
                              const std::vector<store::MetricRow>& first_metrics,
                              const store::TrialRow& again,
                              const std::vector<store::MetricRow>& again_metrics, const Objective& objective,
                              const std::optional<Objective>& second) {
  RerunComparison result;
  result.json = {{"of", first.number}, {"same", nullptr}};
  if (first.facts.deleted) {
    result.text =
        "trial " + std::to_string(first.number) + " was deleted, so there is nothing to compare with";
    return result;
  }
  if (!is_finished(again.state)) {
    result.text = std::string("it is ") + to_string(again.state) + ", and nothing can be compared yet";
    return result;
  }
  Curves before = curves_of(first_metrics), after = curves_of(again_metrics);
  const std::map<std::int64_t, double> curve = before[objective.metric], curve_now = after[objective.metric];
  const std::optional<double> value = value_of(first), value_now = value_of(again);
  const bool has_same_end = first.state == again.state && first.failure == again.failure &&
                            value.has_value() == value_now.has_value() &&
                            (!value || is_same_number(*value, *value_now));
  const bool has_same_second = !second || second->metric == kDeviceSeconds ||
                               is_same_curve(before[second->metric], after[second->metric]);
  result.is_same = has_same_end && is_same_curve(curve, curve_now) && has_same_second;
  std::set<std::string> others;  // that differ
  for (const Curves* curves : {&before, &after})
    for (const auto& [name, points] : *curves)
      if (name != objective.metric && !is_same_curve(before[name], after[name])) others.insert(name);
  const Difference difference = difference_of(curve, curve_now);
  result.json["same"] = result.is_same;
  result.json["value_before"] = number_or_null(value);
  result.json["value"] = number_or_null(value_now);
  result.json["points_before"] = curve.size();
  result.json["points"] = curve_now.size();
  result.json["first_difference"] = difference.first ? Json(*difference.first) : Json();
  result.json["largest_difference"] = difference.largest;
  result.json["other_metrics_that_differ"] = others;
  const std::string differ = names_text(others);
  if (result.is_same) {
    result.text = "the same result bit for bit: " + plural_text(curve.size(), "point") + " of " +
                  objective.metric + (value ? ", " + shortest(*value) : "");
    if (!others.empty()) result.text += ", but other values of " + differ;
  } else {
    result.text = "another result: ";
    if (first.state != again.state || first.failure != again.failure)
      result.text += "it was " + state_words(first) + ", and is " + state_words(again) + " now; ";
    result.text += how_values_differ(objective, value, value_now);
    if (difference.first)
      result.text += "; first at step " + std::to_string(*difference.first) + ", " +
                     shortest(difference.before) + " and now " + shortest(difference.after) +
                     "; by at most " + number_text(difference.largest);
    if (curve.size() != curve_now.size())
      result.text += "; " + plural_text(curve.size(), "point") + ", now " + std::to_string(curve_now.size());
  }
  if (!result.is_same && !others.empty()) {
    const bool is_of_first_too = !has_same_end || !is_same_curve(curve, curve_now);
    result.text += "; other values of " + differ + (is_of_first_too ? " too" : "");
  }
  return result;
}

}  // namespace tune::report
