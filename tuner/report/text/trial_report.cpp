#include "tuner/report/text/trial_report.h"

#include <algorithm>

#include "tuner/core/metric_names.h"
#include "tuner/core/number_text.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/numbers/study_front.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/trial_table.h"

namespace tune::report {
namespace {

std::string stop_text(const store::AttemptRow& attempt) {
  return attempt.stop ? to_string(*attempt.stop) : "";
}

std::string ending(const store::AttemptRow& attempt) {
  if (attempt.signal) return "signal " + std::to_string(*attempt.signal);
  if (attempt.exit_code) return "exit code " + std::to_string(*attempt.exit_code);
  return {};
}

CostReport costs_of(const TrialRows& rows) {
  std::vector<store::AttemptRow> attempts = rows.attempts;
  attempts.insert(attempts.end(), rows.others.begin(), rows.others.end());
  return CostReport({rows.trial}, attempts, usd_per_hour(rows.study), rows.neighbours);
}

Table attempt_table(const TrialRows& rows, const CostReport& costs) {
  const std::optional<double> price = usd_per_hour(rows.study);
  Table table;
  table.columns = {{"attempt", Align::kRight}, {"state"}, {"ended with"}, {"time", Align::kRight}};
  if (price) table.columns.push_back({"cost", Align::kRight});
  const bool is_measured = std::any_of(rows.attempts.begin(), rows.attempts.end(), [](const auto& attempt) {
    return attempt.facts.peak_device_memory.has_value();
  });
  if (is_measured) table.columns.push_back({"GPU memory", Align::kRight});
  table.columns.push_back({"devices", Align::kLeft, true});
  const bool has_jobs = std::any_of(rows.attempts.begin(), rows.attempts.end(),
                                    [](const auto& attempt) { return !attempt.facts.job.empty(); });
  if (has_jobs) table.columns.push_back({"job", Align::kLeft, true});
  table.columns.push_back({"reason", Align::kLeft, true});
  for (const auto& attempt : rows.attempts) {
    const Cost cost = costs.of(attempt.trial, attempt.attempt);
    std::string devices;
    for (const std::string& device : attempt.devices) devices += (devices.empty() ? "" : ", ") + device;
    auto& row = table.rows.emplace_back();
    row = {std::to_string(attempt.attempt), to_string(attempt.state), ending(attempt),
           seconds_text(attempt.lease_seconds)};
    if (price) row.push_back(usd_text(cost.usd));
    if (is_measured)
      row.push_back(attempt.facts.peak_device_memory ? gib_text(*attempt.facts.peak_device_memory) : "");
    row.push_back(devices.empty() ? "cpu" : devices);
    if (has_jobs) row.push_back(attempt.facts.job);
    row.push_back(attempt.reason.empty() ? stop_text(attempt) : attempt.reason);
  }
  return table;
}

// What a trainer says for the bill is no metric to people.
std::vector<store::MetricRow> readable(const std::vector<store::MetricRow>& metrics) {
  std::vector<store::MetricRow> rows;
  std::copy_if(metrics.begin(), metrics.end(), std::back_inserter(rows),
               [](const auto& row) { return !row.name.starts_with(kBookkeeping); });
  return rows;
}

// Those of the spec that have no points are named too.
Table metric_table(const store::StudyRow& study, const std::vector<store::MetricRow>& metrics) {
  Table table;
  table.columns = {{"metric"},
                   {"points", Align::kRight},
                   {"last step", Align::kRight},
                   {"last", Align::kRight},
                   {"smallest", Align::kRight},
                   {"largest", Align::kRight}};
  for (auto begin = metrics.begin(); begin != metrics.end();) {
    const auto end =
        std::find_if(begin, metrics.end(), [&](const auto& row) { return row.name != begin->name; });
    std::vector<MetricPoint> curve;
    for (auto row = begin; row != end; ++row) curve.push_back(row->point);
    const auto smallest = reduce_curve(curve, {begin->name, Goal::kMinimize, Reduce::kMin});
    const auto largest = reduce_curve(curve, {begin->name, Goal::kMinimize, Reduce::kMax});
    table.rows.push_back({begin->name, std::to_string(curve.size()), std::to_string(curve.back().step),
                          number_text(curve.back().value), smallest ? number_text(*smallest) : "",
                          largest ? number_text(*largest) : ""});
    begin = end;
  }
  std::vector<std::string> named = other_metrics(study);
  if (study.second && study.second->metric != kDeviceSeconds)
    named.insert(named.begin(), study.second->metric);
  named.insert(named.begin(), study.objective.metric);
  for (const std::string& name : named) {
    const auto is_it = [&](const auto& row) { return row.name == name; };
    if (std::none_of(metrics.begin(), metrics.end(), is_it))
      table.rows.push_back({name, "0", "", "", "", ""});
  }
  return table;
}

std::string repeats_text(const TrialRows& rows) {
  std::string text;
  if (rows.original)
    text += "  repeats trial " + std::to_string(rows.original->number) + ": " +
            one_line(rerun_of(rows).text) + '\n';
  for (const int number : rows.reruns)
    text += "  repeated by trial " + std::to_string(number) + ", which says whether it came to the same\n";
  return text;
}

}  // namespace

Json parameter_differences(const ParameterSet& own, const ParameterSet& best) {
  const auto value_in = [](const ParameterSet& set, const std::string& name) {
    const auto found = set.find(name);
    return found == set.end() ? Json() : found->second;
  };
  ParameterSet all = own;
  all.insert(best.begin(), best.end());
  Json list = Json::array();
  for (const auto& [name, value] : all)
    if (const Json mine = value_in(own, name), its = value_in(best, name); mine != its)
      list.push_back({{"name", name}, {"value", mine}, {"best", its}});
  return list;
}

RerunComparison rerun_of(const TrialRows& rows) {
  return compare_rerun(*rows.original, rows.original_metrics, rows.trial, rows.metrics, rows.study.objective,
                       rows.study.second);
}

std::string trial_head(const TrialRows& rows) {
  const store::TrialRow& trial = rows.trial;
  std::string text = rows.study.name + '/' + std::to_string(trial.number) + ": " + to_string(trial.state);
  if (!rows.console_state.empty() && rows.console_state != to_string(trial.state))
    text += " (" + rows.console_state + ")";
  if (!trial.values.empty()) text += ", " + rows.study.objective.metric + ' ' + value_text(trial);
  if (trial.values.size() > 1 && rows.study.second)
    text += ", " + rows.study.second->metric + ' ' + value_text(trial, 1);
  if (rows.on_front) text += *rows.on_front ? " (on the front)" : " (not on the front)";
  if (rows.rank > 0)
    text += " (rank " + std::to_string(rows.rank) + " of " + std::to_string(rows.ranked) + ")";
  text += '\n';
  const std::string reason = reason_text(trial);
  if (!reason.empty()) text += "  reason: " + one_line(reason) + '\n';
  if (trial.facts.replicate_of)
    text += "  replicate of: trial " + std::to_string(*trial.facts.replicate_of) + '\n';
  if (!trial.note.empty()) text += "  suggested as: " + one_line(trial.note) + '\n';
  return text + repeats_text(rows);
}

namespace {
Json bytes_json(const std::optional<std::uint64_t>& bytes) { return bytes ? Json(*bytes) : Json(); }

Json attempt_json(const store::AttemptRow& attempt) {
  return {{"attempt", attempt.attempt},
          {"state", to_string(attempt.state)},
          {"exit_code", attempt.exit_code ? Json(*attempt.exit_code) : Json()},
          {"signal", attempt.signal ? Json(*attempt.signal) : Json()},
          {"stop", stop_text(attempt)},
          {"reason", attempt.reason},
          {"devices", attempt.devices},
          {"job", attempt.facts.job},
          {"threads", attempt.threads},
          {"lease_seconds", attempt.lease_seconds},
          {"cpu_seconds", attempt.cpu_seconds},
          {"max_rss_bytes", attempt.max_rss_bytes},
          {"peak_device_memory_bytes", bytes_json(attempt.facts.peak_device_memory)},
          {"reserved_device_memory_bytes", bytes_json(attempt.facts.reserved_device_memory)},
          {"failure", attempt.facts.failure},
          {"overrides", attempt.facts.overrides},
          {"created", format_time(attempt.created)},
          {"started", time_json(attempt.started)},
          {"ended", time_json(attempt.ended)}};
}

}  // namespace

std::optional<TrialRows> read_trial(const store::StudyStore& store, int number) {
  auto trial = store.trial(number);
  if (!trial) return std::nullopt;
  TrialRows rows;
  rows.study = store.study();
  rows.trial = std::move(*trial);
  for (store::AttemptRow& attempt : store.attempts())
    (attempt.trial == number ? rows.attempts : rows.others).push_back(std::move(attempt));
  rows.metrics = store.metrics(number);
  rows.events = store.events_of(number);
  place_among(store.trials(), store, rows);
  return rows;
}

void place_among(const std::vector<store::TrialRow>& trials, const store::StudyStore& store,
                 TrialRows& rows) {
  const int number = rows.trial.number;
  for (const store::TrialRow& other : trials)
    if (other.facts.rerun_of == number) rows.reruns.push_back(other.number);
  if (const auto first = rows.trial.facts.rerun_of) {
    rows.original = store.trial(*first);
    rows.original_metrics = store.metrics(*first);
  }
  if (rows.study.second) {
    // Two objectives rank nothing.
    const StudyRows study{rows.study, trials, {}, {}};
    if (rows.trial.state == TrialState::kCompleted) rows.on_front = study_front(study)->has(number);
    return;
  }
  const auto ranked = leaderboard(trials, rows.study.objective);
  rows.ranked = static_cast<int>(ranked.size());
  const auto place =
      std::find_if(ranked.begin(), ranked.end(), [&](const auto& other) { return other.number == number; });
  if (place != ranked.end()) rows.rank = static_cast<int>(place - ranked.begin()) + 1;
}

std::string event_line(const store::EventRow& event) {
  std::string kind = event.kind;
  for (char& c : kind)
    if (c == '_') c = ' ';
  // "2026-01-31T12:00:00.000Z": the time of day, to the second.
  std::string line = format_time(event.time).substr(11, 8) + ' ' + kind;
  if (event.trial > 0) line += ", trial " + std::to_string(event.trial);
  if (event.attempt > 0) line += ", attempt " + std::to_string(event.attempt);
  if (event.data.contains("message") && event.data["message"].is_string())
    line += ": " + event.data["message"].get<std::string>();
  return one_line(line);
}

std::string trial_text(const TrialRows& rows, int width) {
  const CostReport costs = costs_of(rows);
  std::string text = trial_head(rows);
  const ParameterSet fixed = fixed_values(rows.study);
  if (!rows.trial.parameters.empty() || fixed.empty())
    text += "\nHyperparameters:\n" + parameter_lines(rows.trial.parameters);
  if (!fixed.empty()) text += "\nFixed:\n" + parameter_lines(fixed);
  if (!rows.trial.facts.overrides.empty())
    text += "\nIn place of these it ran with:\n" +
            parameter_lines(rows.trial.facts.overrides.get<ParameterSet>());
  if (!rows.attempts.empty()) {
    text += "\nAttempts:\n" + text_table(attempt_table(rows, costs), width);
    text += "Total: " + cost_text(costs.of(rows.trial.number).total) + '\n';
  }
  const std::vector<store::MetricRow> metrics = readable(rows.metrics);
  if (!rows.attempts.empty()) text += "\nMetrics:\n" + text_table(metric_table(rows.study, metrics), width);
  if (rows.events.empty()) return text;
  text += "\nEvents (UTC):\n";
  for (const auto& event : rows.events) {
    const std::string line = "  " + event_line(event);
    text += (width > 0 ? cut_to_width(line, static_cast<std::size_t>(width)) : line) + '\n';
  }
  return text;
}

Json trial_details_json(const TrialRows& rows) {
  const CostReport costs = costs_of(rows);
  Json json = trial_json(rows.trial, costs);
  json["schema"] = 1;
  json["study"] = rows.study.name;
  if (!rows.console_state.empty()) json["console_state"] = rows.console_state;
  json["metric"] = rows.study.objective.metric;
  json["fixed"] = fixed_values(rows.study);
  if (rows.original) json["rerun"] = rerun_of(rows).json;
  if (!rows.reruns.empty()) json["reruns"] = rows.reruns;
  if (rows.trial.facts.deleted) json["deleted_at"] = format_time(rows.trial.facts.deleted->when);
  json["rank"] = rows.rank > 0 ? Json(rows.rank) : Json();
  if (rows.study.second) {
    json["front"] = rows.on_front ? Json(*rows.on_front) : Json();
    json["second_metric"] = rows.study.second->metric;
  }
  json["attempts"] = Json::array();
  for (const auto& attempt : rows.attempts) json["attempts"].push_back(attempt_json(attempt));
  json["metrics"] = Json::object();
  for (const std::string& name : other_metrics(rows.study)) json["metrics"][name] = Json::array();
  for (const auto& row : rows.metrics)
    json["metrics"][row.name].push_back({{"step", row.point.step},
                                         {"value", number_to_json(row.point.value)},
                                         {"attempt", row.attempt},
                                         {"time", format_time(row.time)}});
  json["events"] = Json::array();
  for (const auto& event : rows.events)
    json["events"].push_back({{"id", event.id},
                              {"time", format_time(event.time)},
                              {"kind", event.kind},
                              {"attempt", event.attempt},
                              {"data", event.data}});
  return json;
}

}  // namespace tune::report
