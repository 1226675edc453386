#include "tuner/report/text/trial_table.h"

#include <algorithm>
#include <array>
#include <set>

#include "tuner/core/number_text.h"
#include "tuner/core/objective_text.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/numbers/replicated.h"
#include "tuner/report/numbers/study_front.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/replicate_table.h"

namespace tune::report {
namespace {

const std::vector<LastValues> kNone;

std::set<std::string> parameter_names(const std::vector<store::TrialRow>& trials) {
  std::set<std::string> names;
  for (const auto& trial : trials)
    for (const auto& [name, value] : trial.parameters) names.insert(name);
  return names;
}

std::string exact(const std::optional<double>& number) { return number ? shortest(*number) : std::string(); }

std::string time_text(const std::optional<WallTime>& time) {
  return time ? format_time(*time) : std::string();
}

constexpr std::array kFirstTitles{"trial", "state"};
constexpr const char* kFrontTitle = "front";  // where there are two objectives
constexpr std::array kLastTitles{"budget",  "attempts",      "created",      "started", "ended",
                                 "seconds", "lease_seconds", "device_hours", "usd",     "failure",
                                 "reason",  "note",          "replicate_of", "cut",     "overrides"};

// No two alike, since tables are read by the names of their columns: a metric or a parameter whose name is
// another column's too gets "metric:" or "parameter:" before it. No parameter has a colon in its name.
std::vector<Column> full_columns(const StudyRows& rows, const std::set<std::string>& parameters) {
  std::vector<std::string> metrics{rows.study.objective.metric};
  if (rows.study.second) metrics.push_back(rows.study.second->metric);
  for (const LastValues& other : rows.others) metrics.push_back(other.metric);
  std::set<std::string> taken(kFirstTitles.begin(), kFirstTitles.end());
  taken.insert(kLastTitles.begin(), kLastTitles.end());
  if (rows.study.second) taken.insert(kFrontTitle);
  std::vector<Column> columns;
  for (const char* title : kFirstTitles) columns.push_back({title});
  const std::set<std::string> metric_names(metrics.begin(), metrics.end());
  std::set<std::string> used = metric_names;
  for (std::string title : metrics) {
    if (taken.contains(title) || parameters.contains(title)) do
        title = "metric:" + title;
      while (!used.insert(title).second);
    columns.push_back({title});
  }
  for (std::string title : parameters) {
    if (taken.contains(title) || metric_names.contains(title)) do
        title = "parameter:" + title;
      while (!used.insert(title).second);
    columns.push_back({title});
  }
  if (rows.study.second) columns.push_back({kFrontTitle});
  for (const char* title : kLastTitles) columns.push_back({title});
  return columns;
}

// A replicate says in the column of reasons what it is.
std::string reason_cell(const store::TrialRow& trial) {
  const std::string replicate = replicate_text(trial), reason = reason_text(trial);
  return replicate + (replicate.empty() || reason.empty() ? "" : "; ") + reason;
}
// What says that a trial is on the front.
std::string front_mark(const StudyFront& front, int trial) { return front.has(trial) ? "yes" : ""; }

Table full_table(const StudyRows& rows, const CostReport& costs) {
  Table table;
  const std::set<std::string> names = parameter_names(rows.trials);
  const std::optional<StudyFront> front = study_front(rows);
  table.columns = full_columns(rows, names);
  for (const auto& trial : rows.trials) {
    const Cost cost = costs.of(trial.number).total;
    auto& row = table.rows.emplace_back();
    row = {std::to_string(trial.number), to_string(trial.state),
           trial.values.empty() ? std::string() : shortest(trial.values.front())};
    if (front) row.push_back(trial.values.size() < 2 ? std::string() : shortest(trial.values[1]));
    for (const LastValues& other : rows.others) {
      const auto value = other.by_trial.find(trial.number);
      row.push_back(value == other.by_trial.end() ? std::string() : shortest(value->second));
    }
    for (const std::string& name : names) {
      const auto found = trial.parameters.find(name);
      row.push_back(found == trial.parameters.end() ? std::string() : argument_text(found->second));
    }
    if (front) row.push_back(front_mark(*front, trial.number));
    for (std::string cell :
         {shortest(trial.budget), std::to_string(trial.attempts), format_time(trial.created),
          time_text(trial.started), time_text(trial.ended), exact(trial_seconds(trial)),
          shortest(cost.lease_seconds), shortest(cost.device_hours), exact(cost.usd), trial.failure,
          trial.reason, trial.note,
          trial.facts.replicate_of ? std::to_string(*trial.facts.replicate_of) : std::string(), trial.cut,
          trial.facts.overrides.empty() ? std::string() : trial.facts.overrides.dump()})
      row.push_back(std::move(cell));
  }
  return table;
}

}  // namespace

Table trial_table(const StudyRows& rows, TrialColumns columns) {
  const std::optional<double> price = usd_per_hour(rows.study);
  const CostReport costs = costs_of(rows);
  if (columns == TrialColumns::kEverything) return full_table(rows, costs);
  Table table;
  const std::vector<LastValues>& others = columns == TrialColumns::kPage ? rows.others : kNone;
  const std::optional<StudyFront> front = study_front(rows);
  table.columns = {{"trial", Align::kRight}, {"state"}, {rows.study.objective.metric, Align::kRight}};
  if (front) table.columns.push_back({front->objectives[1].metric, Align::kRight});
  if (front) table.columns.push_back({kFrontTitle});
  for (const LastValues& other : others) table.columns.push_back({other.metric, Align::kRight});
  table.columns.push_back({"attempts", Align::kRight});
  table.columns.push_back({"time", Align::kRight});
  if (price) table.columns.push_back({"cost", Align::kRight});
  table.columns.push_back({"hyperparameters", Align::kLeft, true});
  table.columns.push_back({"reason", Align::kLeft, true});
  for (const auto& trial : rows.trials) {
    const Cost cost = costs.of(trial.number).total;
    auto& row = table.rows.emplace_back();
    row = {std::to_string(trial.number), to_string(trial.state), value_text(trial)};
    if (front) row.push_back(value_text(trial, 1));
    if (front) row.push_back(front_mark(*front, trial.number));
    for (const LastValues& other : others) {
      const auto value = other.by_trial.find(trial.number);
      row.push_back(value == other.by_trial.end() ? std::string() : number_text(value->second));
    }
    row.push_back(std::to_string(trial.attempts));
    row.push_back(cost.lease_seconds > 0 ? seconds_text(cost.lease_seconds) : std::string());
    if (price) row.push_back(usd_text(cost.usd));
    row.push_back(parameters_text(trial));
    row.push_back(reason_cell(trial));
  }
  return table;
}

Table leaderboard_table(const StudyRows& rows, std::size_t most) {
  const CostReport costs = costs_of(rows);
  const bool priced = usd_per_hour(rows.study).has_value();
  auto ranked = leaderboard(rows.trials, rows.study.objective);
  if (ranked.size() > most) ranked.erase(ranked.begin() + static_cast<std::ptrdiff_t>(most), ranked.end());
  const Replication replication = replication_of(rows.trials, rows.study.objective);
  const bool is_replicated = replication.fresh_values() > 0;
  const bool any_cut =
      std::any_of(ranked.begin(), ranked.end(), [](const auto& trial) { return !trial.cut.empty(); });
  Table table;
  table.columns = {
      {"trial", Align::kRight}, {rows.study.objective.metric, Align::kRight}, {"time", Align::kRight}};
  if (priced) table.columns.push_back({"cost", Align::kRight});
  if (is_replicated) {
    table.columns.push_back({"mean over seeds", Align::kRight});
    table.columns.push_back(
        {rows.study.objective.goal == Goal::kMaximize ? "at least" : "at most", Align::kRight});
  }
  if (any_cut) table.columns.push_back({"cut short by"});
  table.columns.push_back({"hyperparameters", Align::kLeft, true});
  for (const auto& trial : ranked) {
    const Cost cost = costs.of(trial.number).total;
    auto& row = table.rows.emplace_back();
    row = {std::to_string(trial.number), value_text(trial), seconds_text(cost.lease_seconds)};
    if (priced) row.push_back(usd_text(cost.usd));
    if (is_replicated) {
      const Replication::Candidate& one = *replication.find(trial.number);
      row.push_back(number_text(one.mean));
      row.push_back(one.bound ? number_text(*one.bound) : std::string());
    }
    if (any_cut) row.push_back(trial.cut);
    row.push_back(parameters_text(trial));
  }
  return table;
}

Table front_table(const StudyRows& rows, const StudyFront& front) {
  const CostReport costs = costs_of(rows);
  const bool priced = usd_per_hour(rows.study).has_value();
  Table table;
  table.columns = {{"trial", Align::kRight},
                   {front.objectives[0].metric, Align::kRight},
                   {front.objectives[1].metric, Align::kRight},
                   {"time", Align::kRight}};
  if (priced) table.columns.push_back({"cost", Align::kRight});
  if (front.preferred) table.columns.push_back({"preferred"});
  table.columns.push_back({"hyperparameters", Align::kLeft, true});
  for (std::size_t i = 0; i < front.trials.size(); ++i) {
    const store::TrialRow& trial = front.trials[i];
    const Cost cost = costs.of(trial.number).total;
    auto& row = table.rows.emplace_back();
    row = {std::to_string(trial.number), value_text(trial), value_text(trial, 1),
           cost.lease_seconds > 0 ? seconds_text(cost.lease_seconds) : std::string()};
    if (priced) row.push_back(usd_text(cost.usd));
    if (front.preferred) row.push_back(i == *front.preferred ? "yes" : "");
    row.push_back(parameters_text(trial.parameters));
  }
  return table;
}

Json front_json(const StudyFront& front) {
  Json list = Json::array();
  for (const store::TrialRow& trial : front.trials)
    list.push_back({{"trial", trial.number},
                    {"values", {number_to_json(trial.values[0]), number_to_json(trial.values[1])}},
                    {"parameters", trial.parameters}});
  return list;
}

Json objectives_json(const StudyFront& front) {
  Json list = Json::array();
  for (const Objective& objective : front.objectives)
    list.push_back({{"metric", objective.metric}, {"goal", goal_text(objective.goal)}});
  return list;
}

Json trial_json(const store::TrialRow& trial, const CostReport& costs) {
  const TrialCost cost = costs.of(trial.number);
  Json values = Json::array();
  for (const double value : trial.values) values.push_back(number_to_json(value));
  const std::optional<double> seconds = trial_seconds(trial);
  return {{"trial", trial.number},
          {"state", to_string(trial.state)},
          {"value", value_json(trial)},
          {"values", values},
          {"parameters", trial.parameters},
          {"budget", trial.budget},
          {"attempts", trial.attempts},
          {"note", trial.note},
          {"reason", trial.reason},
          {"failure", trial.failure},
          {"cut", trial.cut.empty() ? Json() : Json(trial.cut)},
          {"overrides", trial.facts.overrides},
          {"replicate_of", trial.facts.replicate_of ? Json(*trial.facts.replicate_of) : Json()},
          {"rerun_of", trial.facts.rerun_of ? Json(*trial.facts.rerun_of) : Json()},
          {"deleted", trial.facts.deleted ? Json(trial.facts.deleted->who) : Json()},
          {"created", format_time(trial.created)},
          {"started", time_json(trial.started)},
          {"ended", time_json(trial.ended)},
          {"seconds", seconds ? Json(*seconds) : Json()},
          {"cost", cost_json(cost.total)},
          {"retried_cost", cost_json(cost.retried)}};
}

Json other_metrics_json(const StudyRows& rows, int trial) {
  Json metrics = Json::object();
  for (const LastValues& other : rows.others) {
    const auto value = other.by_trial.find(trial);
    metrics[other.metric] = value == other.by_trial.end() ? Json() : number_to_json(value->second);
  }
  return metrics;
}

Json trials_json(const StudyRows& rows) {
  const CostReport costs = costs_of(rows);
  Json list = Json::array();
  const std::optional<StudyFront> front = study_front(rows);
  for (const auto& trial : rows.trials) {
    list.push_back(trial_json(trial, costs));
    list.back()["metrics"] = other_metrics_json(rows, trial.number);
    if (front) list.back()["front"] = front->has(trial.number);
  }
  Json json{{"schema", 1},
            {"study", rows.study.name},
            {"metric", rows.study.objective.metric},
            {"goal", goal_text(rows.study.objective.goal)},
            {"trials", list},
            {"replicates", replicates_json(rows)}};
  if (front) json["objectives"] = objectives_json(*front);
  return json;
}

Json best_json(const std::optional<store::TrialRow>& best) {
  if (!best) return {{"trial", nullptr}};
  Json json = {{"trial", best->number}, {"value", value_json(*best)}, {"parameters", best->parameters}};
  if (!best->facts.overrides.empty()) json["overrides"] = best->facts.overrides;
  if (best->values.size() > 1) json["values"] = best->values;
  return json;
}

}  // namespace tune::report
