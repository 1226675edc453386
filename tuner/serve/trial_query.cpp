#include "tuner/serve/trial_query.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

#include "tuner/core/edit_distance.h"
#include "tuner/core/number_text.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/numbers/study_front.h"
#include "tuner/report/text/format.h"
#include "tuner/serve/query_number.h"

namespace tune::serve {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMostRows = 500, kMostOffset = 1'000'000'000;
constexpr std::size_t kMostConditions = 32;
constexpr std::array<std::string_view, 13> kFacts{"trial",    "state",   "value",        "value2", "budget",
                                                  "attempts", "seconds", "device_hours", "usd",    "created",
                                                  "started",  "ended",   "failure"};

// "a,b\\,c" are "a" and "b,c".
std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> pieces(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escaped =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == ',' || text[i + 1] == '\\');
    if (is_escaped)
      pieces.back() += text[++i];
    else if (text[i] == ',')
      pieces.emplace_back();
    else
      pieces.back() += text[i];
  }
  return pieces;
}

double in_seconds(WallTime time) { return static_cast<double>(time.time_since_epoch().count()) / 1000; }
double in_seconds(const std::optional<WallTime>& time) { return time ? in_seconds(*time) : kNone; }

std::string state_of(const store::TrialRow& trial) {
  return trial.facts.deleted ? "deleted" : to_string(trial.state);
}

// One column of the table, as a number or a text for each trial (its place, from 0). Valid while the table
// is.
struct Column {
  std::function<double(std::size_t)> number;     // NaN: none
  std::function<std::string(std::size_t)> text;  // set for texts alone; "" is none
};

std::optional<Column> fact_column(StudyTable& table, const std::string& name) {
  const std::vector<store::TrialRow>& trials = table.rows().trials;
  const auto by_row = [&trials](auto of_row) {
    return Column{[&trials, of_row](std::size_t i) { return static_cast<double>(of_row(trials[i])); }, {}};
  };
  const auto by_text = [&trials](auto of_row) {
    return Column{{}, [&trials, of_row](std::size_t i) { return std::string(of_row(trials[i])); }};
  };
  using Row = store::TrialRow;
  if (name == "trial") return by_row([](const Row& row) { return row.number; });
  if (name == "value")
    return by_row([](const Row& row) { return row.values.empty() ? kNone : row.values[0]; });
  if (name == "value2")
    return by_row([](const Row& row) { return row.values.size() < 2 ? kNone : row.values[1]; });
  if (name == "budget") return by_row([](const Row& row) { return row.budget; });
  if (name == "attempts") return by_row([](const Row& row) { return row.attempts; });
  if (name == "seconds")
    return by_row([](const Row& row) { return report::trial_seconds(row).value_or(kNone); });
  if (name == "created") return by_row([](const Row& row) { return in_seconds(row.created); });
  if (name == "started") return by_row([](const Row& row) { return in_seconds(row.started); });
  if (name == "ended") return by_row([](const Row& row) { return in_seconds(row.ended); });
  if (name == "state") return by_text(state_of);
  if (name == "failure") return by_text([](const Row& row) { return row.failure; });
  // Dollars are hours at one price.
  if (name == "device_hours" || name == "usd")
    return Column{[&table](std::size_t i) { return table.device_hours(static_cast<int>(i) + 1); }, {}};
  return std::nullopt;
}

std::optional<Column> parameter_column(const StudyTable& table, std::string_view name) {
  for (const ValueColumn& column : table.parameters()) {
    if (column.name() != name) continue;
    if (column.has_labels())
      return Column{{}, [&column](std::size_t i) {
                      return column.has(i) ? argument_text(column.value(i)) : std::string();
                    }};
    return Column{[&column](std::size_t i) { return column.number(i); }, {}};
  }
  return std::nullopt;
}

std::optional<Column> metric_column(const StudyTable& table, std::string_view name) {
  for (const report::LastValues& values : table.rows().others) {
    if (values.metric != name) continue;
    return Column{[&values](std::size_t i) {
                    const auto found = values.by_trial.find(static_cast<int>(i) + 1);
                    return found == values.by_trial.end() ? kNone : found->second;
                  },
                  {}};
  }
  return std::nullopt;
}

Column column_of(StudyTable& table, const std::string& name) {
  constexpr std::string_view kOfParameters = "parameters.", kOfMetrics = "metrics.";
  std::optional<Column> column = fact_column(table, name);
  if (!column) column = parameter_column(table, name);
  if (!column) column = metric_column(table, name);
  if (!column && name.starts_with(kOfParameters))
    column = parameter_column(table, name.substr(kOfParameters.size()));
  if (!column && name.starts_with(kOfMetrics)) column = metric_column(table, name.substr(kOfMetrics.size()));
  if (column) return *std::move(column);
  std::vector<std::string> names(kFacts.begin(), kFacts.end());
  for (const ValueColumn& one : table.parameters()) names.push_back(one.name());
  for (const report::LastValues& values : table.rows().others) names.push_back(values.metric);
  const auto guess = nearest_name(name, names);
  throw http::HttpError(400, "the trials have no column " + in_quotes(name),
                        guess ? "did you mean " + in_quotes(*guess) + "?" : "");
}

// Keeps the places for which the condition holds.
void keep_matching(StudyTable& table, const report::TrialCondition& condition,
                   std::vector<std::uint32_t>& places) {
  const Column column = column_of(table, condition.column);
  if (column.number && !condition.number)
    throw http::HttpError(
        400, in_quotes(condition.column) + " holds numbers, and " + in_quotes(condition.text) + " is none");
  if (column.number && condition.comparison == "~")
    throw http::HttpError(400, in_quotes(condition.column) + " holds numbers, which contain no text");
  std::erase_if(places, [&](std::uint32_t place) {
    return !(column.number ? condition.holds_for(column.number(place))
                           : condition.holds_for(column.text(place)));
  });
}

// Trials without a value come last, and equals by their number.
void sort_places(const Column& column, bool descending, std::vector<std::uint32_t>& places) {
  std::map<std::string, double> ranks;
  if (!column.number) {
    for (const std::uint32_t place : places) ranks.emplace(column.text(place), 0);
    std::vector<std::string> texts;
    for (const auto& [text, rank] : ranks) texts.push_back(text);
    std::stable_sort(texts.begin(), texts.end(), [](const std::string& a, const std::string& b) {
      const auto first = finite_number_in(a), second = finite_number_in(b);
      return first && second ? *first < *second : a < b;
    });
    for (std::size_t i = 0; i < texts.size(); ++i)
      ranks[texts[i]] = texts[i].empty() ? kNone : static_cast<double>(i);
  }
  struct Keyed {
    double key;
    std::uint32_t place;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(places.size());
  for (const std::uint32_t place : places)
    keyed.push_back({column.number ? column.number(place) : ranks[column.text(place)], place});
  std::sort(keyed.begin(), keyed.end(), [descending](const Keyed& a, const Keyed& b) {
    const bool no_a = std::isnan(a.key), no_b = std::isnan(b.key);
    if (no_a != no_b) return no_b;
    if (no_a || a.key == b.key) return a.place < b.place;
    return descending ? a.key > b.key : a.key < b.key;
  });
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = keyed[i].place;
}

OrderedJson columns_json(const StudyTable& table) {
  OrderedJson columns = OrderedJson::array();
  const store::StudyRow& study = table.rows().study;
  const auto objective_json = [](const char* name, const Objective& objective) {
    return OrderedJson{{"name", name},
                       {"kind", "objective"},
                       {"metric", objective.metric},
                       {"goal", goal_text(objective.goal)}};
  };
  columns.push_back(objective_json("value", study.objective));
  if (study.second) columns.push_back(objective_json("value2", *study.second));
  static constexpr std::array<const char*, 3> kTypes{"float", "int", "categorical"};
  for (const ValueColumn& column : table.parameters())
    columns.push_back({{"name", column.name()},
                       {"kind", "parameter"},
                       {"type", kTypes[static_cast<std::size_t>(column.type())]},
                       {"varies", column.varies()}});
  for (const report::LastValues& values : table.rows().others)
    columns.push_back({{"name", values.metric}, {"kind", "metric"}});
  return columns;
}

OrderedJson row_json(StudyTable& table, std::size_t place, const std::optional<store::TrialRow>& best,
                     const std::optional<report::StudyFront>& front) {
  const store::TrialRow& trial = table.rows().trials[place];
  OrderedJson values = OrderedJson::array(), metrics = OrderedJson::object();
  for (const double value : trial.values) values.emplace_back(number_to_json(value));
  for (const report::LastValues& other : table.rows().others) {
    const auto value = other.by_trial.find(trial.number);
    metrics[other.metric] = value == other.by_trial.end() ? Json() : number_to_json(value->second);
  }
  const std::optional<double> seconds = report::trial_seconds(trial);
  const report::Cost cost = table.costs().of(trial.number).total;
  return {{"trial", trial.number},
          {"state", state_of(trial)},
          {"value", report::value_json(trial)},
          {"values", values},
          {"parameters", table.parameters_of(trial.number)},
          {"metrics", metrics},
          {"budget", trial.budget},
          {"attempts", trial.attempts},
          {"seconds", seconds ? Json(*seconds) : Json()},
          {"device_hours", cost.device_hours},
          {"usd", cost.usd ? Json(*cost.usd) : Json()},
          {"created", format_time(trial.created)},
          {"started", report::time_json(trial.started)},
          {"ended", report::time_json(trial.ended)},
          {"reason", trial.reason},
          {"failure", trial.failure},
          {"cut", trial.cut.empty() ? Json() : Json(trial.cut)},
          {"replicate_of", trial.facts.replicate_of ? Json(*trial.facts.replicate_of) : Json()},
          {"rerun_of", trial.facts.rerun_of ? Json(*trial.facts.rerun_of) : Json()},
          {"deleted", trial.facts.deleted.has_value()},
          {"best", best && best->number == trial.number},
          {"front", front ? Json(front->has(trial.number)) : Json()}};
}

}  // namespace

std::vector<report::TrialCondition> parse_conditions(std::string_view filter) {
  std::vector<report::TrialCondition> conditions;
  for (const std::string& one : split_at_commas(filter)) {
    if (one.find_first_not_of(' ') == std::string::npos) continue;
    conditions.push_back(report::parse_trial_condition(one));
    if (conditions.size() > kMostConditions) throw http::HttpError(400, "there are more than 32 conditions");
  }
  return conditions;
}

TrialQuery trial_query_of(const http::Request& request) {
  TrialQuery query;
  if (const std::string* sort = request.parameter("sort"); sort != nullptr && !sort->empty())
    query.sort = *sort;
  if (const std::string* descending = request.parameter("descending"))
    query.descending = *descending == "1" || *descending == "true";
  if (const std::string* states = request.parameter("state"))
    for (const std::string& state : split_at_commas(*states)) {
      if (state.empty()) continue;
      report::require_trial_state(state);
      query.states.push_back(state);
    }
  if (const std::string* filter = request.parameter("filter")) query.conditions = parse_conditions(*filter);
  query.offset = static_cast<std::size_t>(query_number(request, "offset", 0, kMostOffset).value_or(0));
  query.limit = static_cast<std::size_t>(query_number(request, "limit", 1, kMostRows).value_or(50));
  return query;
}

OrderedJson trials_page(StudyTable& table, const TrialQuery& query) {
  const report::StudyRows& rows = table.rows();
  std::vector<std::uint32_t> places(rows.trials.size());
  std::iota(places.begin(), places.end(), 0u);
  for (const report::TrialCondition& condition : query.conditions) keep_matching(table, condition, places);
  std::map<std::string, int> by_state;
  for (const char* state : {"queued", "running", "paused", "completed", "stopped", "failed", "deleted"})
    by_state[state] = 0;
  for (const std::uint32_t place : places) ++by_state[state_of(rows.trials[place])];
  if (!query.states.empty())
    std::erase_if(places, [&](std::uint32_t place) {
      const std::string state = state_of(rows.trials[place]);
      return std::find(query.states.begin(), query.states.end(), state) == query.states.end();
    });
  if (query.sort != "trial" || query.descending)
    sort_places(column_of(table, query.sort), query.descending, places);
  OrderedJson list = OrderedJson::array();
  const std::optional<report::StudyFront> front = report::study_front(rows);
  const std::optional<store::TrialRow> best = report::best_trial(rows);
  for (std::size_t i = query.offset; i < places.size() && list.size() < query.limit; ++i)
    list.push_back(row_json(table, places[i], best, front));
  return {{"schema", 1},
          {"study", table.name()},
          {"total", rows.trials.size()},
          {"matching", places.size()},
          {"offset", query.offset},
          {"limit", query.limit},
          {"by_state", by_state},
          {"columns", columns_json(table)},
          {"rows", list}};
}

}  // namespace tune::serve
