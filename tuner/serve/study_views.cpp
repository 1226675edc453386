#include "tuner/serve/study_views.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "store/store_listing.h"
#include "store/study_versions.h"
#include "tuner/core/best_so_far.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/live/forecast.h"
#include "tuner/report/numbers/edges.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/numbers/rung_counts.h"
#include "tuner/report/numbers/savings.h"
#include "tuner/report/numbers/study_front.h"
#include "tuner/report/page/chart.h"
#include "tuner/report/text/edge_text.h"
#include "tuner/report/text/failures.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/replicate_table.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/serve/number_writer.h"
#include "tuner/serve/query_number.h"

namespace tune::serve {
namespace {

constexpr std::size_t kMostCurves = 100;
constexpr std::int64_t kFewestPoints = 10, kMostPoints = 5000;  // of a curve
constexpr std::size_t kMostNotices = 20;
constexpr std::int64_t kEventsLookedAt = 1000;
// Above so many trials the ends of ranges are not looked for: it takes every trial's values as JSON.
constexpr std::size_t kMostForEdges = 5000;

Json optional_json(const auto& value) { return value ? Json(*value) : Json(); }

OrderedJson space_json(const std::optional<SearchSpace>& space) {
  static constexpr const char* kTypes[] = {"float", "int", "categorical"};
  static constexpr const char* kScales[] = {"linear", "log", "reverse_log"};
  OrderedJson list = OrderedJson::array();
  if (!space) return list;
  for (const Parameter& parameter : space->parameters()) {
    const bool is_number = parameter.type != ParameterType::kCategorical;
    Json when = Json::object();
    for (const Condition& condition : parameter.when) when[condition.parent] = condition.any_of;
    list.push_back({{"name", parameter.name},
                    {"type", kTypes[static_cast<std::size_t>(parameter.type)]},
                    {"scale", kScales[static_cast<std::size_t>(parameter.scale)]},
                    {"min", is_number ? parameter.canonical(Json(parameter.min)) : Json()},
                    {"max", is_number ? parameter.canonical(Json(parameter.max)) : Json()},
                    {"step", optional_json(parameter.step)},
                    {"values", is_number ? Json() : Json(parameter.values)},
                    {"when", when.empty() ? Json() : when}});
  }
  return list;
}

OrderedJson objectives_json(const store::StudyRow& study) {
  OrderedJson list = OrderedJson::array();
  const auto add = [&list](const Objective& objective) {
    list.push_back({{"metric", objective.metric},
                    {"goal", goal_text(objective.goal)},
                    {"reduce", reduce_text(objective.reduce)}});
  };
  add(study.objective);
  if (study.second) add(*study.second);
  return list;
}

// The points that rung_counts() looks at: the last of each curve.
OrderedJson rungs_json(const StudyTable& table) {
  OrderedJson list = OrderedJson::array();
  const report::StudyRows& rows = table.rows();
  if (!rows.study.facts.rungs) return list;
  std::map<int, std::vector<MetricPoint>> ends;
  for (const auto& [trial, point] : table.store().last_points(rows.study.objective.metric))
    ends[trial] = {point};
  for (const report::RungCount& count : report::rung_counts(rows, ends))
    list.push_back({{"step", count.step},
                    {"reached", count.reached},
                    {"stopped", count.stopped},
                    {"paused", count.waiting}});
  return list;
}

OrderedJson failures_json(const std::vector<store::TrialRow>& trials) {
  OrderedJson list = OrderedJson::array();
  for (const report::FailureGroup& group : report::failure_groups(trials))
    list.push_back({{"reason", group.reason}, {"trials", group.trials}});
  return list;
}

OrderedJson promoted_json(const StudyTable& table) {
  OrderedJson list = OrderedJson::array();
  const store::StudyRow& study = table.rows().study;
  for (const auto& [version, is_current, promotions] :
       store::versions_of_study(table.store_folder(), study.name, study.created))
    list.push_back({{"model", version.model},
                    {"version", version.version},
                    {"trial", version.trial},
                    {"reason", promotions.empty() ? std::string() : promotions.back().reason},
                    {"current", is_current}});
  return list;
}

OrderedJson notices_json(const StudyTable& table) {
  OrderedJson list = OrderedJson::array();
  const std::int64_t last = table.store().last_event();
  std::vector<store::EventRow> found;
  for (store::EventRow& event : table.store().events(std::max<std::int64_t>(0, last - kEventsLookedAt)))
    if (event.kind == "notice" || event.kind == "request" || event.kind == "promotion")
      found.push_back(std::move(event));
  const std::size_t first = found.size() > kMostNotices ? found.size() - kMostNotices : 0;
  for (std::size_t i = first; i < found.size(); ++i)
    list.push_back({{"id", found[i].id},
                    {"time", format_time(found[i].time)},
                    {"kind", found[i].kind},
                    {"trial", found[i].trial > 0 ? Json(found[i].trial) : Json()},
                    {"message", found[i].data.value("message", Json(""))}});
  return list;
}

// The last run's machine; of studies from before runs were kept apart, the study's.
const store::MachineFacts* machine_of(const store::StudyRow& study) {
  if (!study.facts.runs.empty()) return &study.facts.runs.back().machine;
  return study.facts.machine ? &*study.facts.machine : nullptr;
}

// The devices that are known, each with the trials that run on it.
OrderedJson devices_json(const report::StudyRows& rows) {
  std::map<std::string, std::vector<int>> running;
  std::vector<int> on_cpu;
  for (const store::AttemptRow& attempt : rows.attempts) {
    if (!store::is_live(attempt.state) || attempt.ended) continue;
    for (const std::string& device : attempt.devices) running[device].push_back(attempt.trial);
    if (attempt.devices.empty()) on_cpu.push_back(attempt.trial);
  }
  OrderedJson list = OrderedJson::array();
  const store::MachineFacts* machine = machine_of(rows.study);
  if (machine != nullptr)
    for (const store::GpuFacts& gpu : machine->gpus) {
      const auto found = running.find(gpu.uuid);
      list.push_back({{"device", gpu.uuid},
                      {"name", gpu.name},
                      {"memory", gpu.memory},
                      {"running", found == running.end() ? std::vector<int>() : found->second}});
      if (found != running.end()) running.erase(found);
    }
  for (const auto& [device, trials] : running)
    list.push_back({{"device", device}, {"name", device}, {"memory", nullptr}, {"running", trials}});
  for (std::size_t i = 0; i < on_cpu.size(); ++i)
    list.push_back({{"device", "cpu " + std::to_string(i + 1)},
                    {"name", "CPU"},
                    {"memory", nullptr},
                    {"running", std::vector<int>{on_cpu[i]}}});
  return list;
}

// Why people's requests are not taken; "" where they are.
std::string why_no_requests(const StudyTable& table) {
  const store::StudyRow& study = table.rows().study;
  if (study.facts.driver) return "its trials are run by another program, through " + *study.facts.driver;
  if (study.name != table.name())
    return "it is a copy of the study \"" + study.name + "\" under another name";
  return {};
}

void add_edges(const StudyTable& table, OrderedJson& json) {
  json["edges"] = OrderedJson::array();
  json["edge_texts"] = OrderedJson::array();
  if (table.rows().trials.size() > kMostForEdges) return;
  const std::vector<report::Edge> edges = report::best_edges(table.rows_with_parameters());
  json["edges"] = report::edges_json(edges);
  for (const report::Edge& edge : edges) json["edge_texts"].push_back(report::edge_text(edge));
}

double trial_value(const store::TrialRow& trial, std::size_t which) {
  return trial.values.size() > which ? trial.values[which] : std::numeric_limits<double>::quiet_NaN();
}

char state_letter(const store::TrialRow& trial) {
  return trial.facts.deleted ? 'd' : to_string(trial.state)[0];  // no two states begin alike
}

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void add_times(const report::StudyRows& rows, std::size_t first, std::string& out) {
  const WallTime epoch = rows.study.created;
  const auto add = [&](const char* name, auto time_of) {
    out += std::string(",\"") + name + "\":";
    NumberArray array(out);
    for (std::size_t i = first; i < rows.trials.size(); ++i) {
      const std::optional<WallTime> time = time_of(rows.trials[i]);
      if (time)
        array.add(static_cast<double>((*time - epoch).count()) / 1000);
      else
        array.add_none();
    }
  };
  add("start", [](const store::TrialRow& trial) { return trial.started; });
  add("end", [](const store::TrialRow& trial) { return trial.ended; });
}

void add_parameters(const StudyTable& table, std::size_t first, std::string& out) {
  out += ",\"parameters\":[";
  for (const ValueColumn& column : table.parameters()) {
    if (out.back() != '[') out += ',';
    out += "{\"name\":" + quoted(column.name()) + ",\"type\":\"" +
           (column.has_labels()                    ? "categorical"
            : column.type() == ParameterType::kInt ? "int"
                                                   : "float") +
           '"';
    if (column.has_labels())
      out += ",\"labels\":" + Json(column.labels()).dump(-1, ' ', false, Json::error_handler_t::replace);
    out += ",\"values\":";
    {
      NumberArray array(out);
      for (std::size_t i = first; i < column.size(); ++i) {
        if (!column.has(i))
          array.add_none();
        else if (column.has_labels())
          array.add(std::int64_t{column.code(i)});
        else if (column.type() == ParameterType::kInt)
          array.add(static_cast<std::int64_t>(column.number(i)));
        else
          array.add(column.number(i));
      }
    }
    out += '}';
  }
  out += ']';
}

// Where the best completed trial of the search changed, of one objective.
void add_best_so_far(const report::StudyRows& rows, std::string& out) {
  out += ",\"best\":[";
  BestSoFar best(rows.study.objective);
  for (const store::TrialRow& trial : rows.trials) {
    const bool counts = trial.state == TrialState::kCompleted && !trial.facts.replicate_of &&
                        !trial.facts.rerun_of && !trial.values.empty() && std::isfinite(trial.values[0]);
    if (!counts || !best.is_improved_by({trial.values[0]})) continue;
    best.add({trial.values[0]});
    if (out.back() != '[') out += ',';
    NumberArray pair(out);
    pair.add(std::int64_t{trial.number});
    pair.add(trial.values[0]);
  }
  out += ']';
}

// "1,2,3", or "best:20": those, and what runs.
std::vector<int> wanted_trials(const StudyTable& table, const std::string& text) {
  const report::StudyRows& rows = table.rows();
  std::vector<int> trials;
  const auto number_in = [](std::string_view digits) {
    int number = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (problem != std::errc() || end != digits.data() + digits.size() || number < 1)
      throw http::HttpError(400, in_quotes(digits) + " is no trial", "trials=1,2,3, or trials=best:20");
    return number;
  };
  constexpr std::string_view kBest = "best:";
  if (text.starts_with(kBest)) {
    const auto most = static_cast<std::size_t>(number_in(std::string_view(text).substr(kBest.size())));
    for (const auto& [trial, point] : rows.latest) trials.push_back(trial);
    const auto ranked = report::leaderboard(rows.trials, rows.study.objective);
    for (std::size_t i = 0; i < std::min(most, ranked.size()); ++i) trials.push_back(ranked[i].number);
  } else {
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      trials.push_back(number_in(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (trials.size() > kMostCurves)
      throw http::HttpError(400,
                            "more than " + std::to_string(kMostCurves) + " curves at once are not drawn");
  }
  if (trials.size() > kMostCurves) trials.resize(kMostCurves);
  std::erase_if(trials, [&](int trial) { return static_cast<std::size_t>(trial) > rows.trials.size(); });
  return trials;
}

// Down-sampled as the report's curves are: the smallest and the largest of each stretch.
OrderedJson curve_json(const StudyTable& table, int trial, const std::string& metric, std::size_t most) {
  std::vector<MetricPoint> curve;
  std::map<std::int64_t, WallTime> times;
  for (const store::MetricRow& row : table.store().metrics(trial, metric)) {
    curve.push_back(row.point);
    times[row.point.step] = row.time;
  }
  const std::vector<MetricPoint> shown = report::thinned(curve, most);
  const std::optional<WallTime> begin = table.rows().trials[static_cast<std::size_t>(trial) - 1].started;
  OrderedJson steps = OrderedJson::array(), values = OrderedJson::array(), seconds = OrderedJson::array();
  for (const MetricPoint& point : shown) {
    steps.push_back(point.step);
    values.emplace_back(number_to_json(point.value));
    seconds.emplace_back(begin ? Json(static_cast<double>((times[point.step] - *begin).count()) / 1000)
                               : Json());
  }
  return {{"trial", trial}, {"points", curve.size()}, {"thinned", shown.size() < curve.size()},
          {"steps", steps}, {"values", values},       {"seconds", seconds}};
}

}  // namespace

OrderedJson study_json(StudyTable& table) {
  const report::StudyRows& rows = table.rows();
  const store::StudyRow& study = rows.study;
  const report::CostReport& costs = table.costs();
  OrderedJson json = report::status_json(rows);
  const auto with_parameters = [&table](OrderedJson& trial) {
    if (trial.is_object() && trial.contains("trial") && trial["trial"].is_number_integer())
      trial["parameters"] = table.parameters_of(trial["trial"].get<int>());
  };
  with_parameters(json["best"]);
  if (json.contains("front"))
    for (OrderedJson& trial : json["front"]) with_parameters(trial);
  json["study"] = table.name();
  json["standing"] = report::standing(study);
  json["seed"] = study.seed;
  const auto word_of = [&study](const char* section, const char* key, const char* otherwise) {
    const auto found = study.spec.find(section);
    return found != study.spec.end() && found->is_object() ? found->value(key, Json(otherwise))
                                                           : Json(otherwise);
  };
  json["strategy"] = word_of("strategy", "name", "auto");
  json["stop_rule"] = word_of("early_stopping", "rule", "none");
  json["reduce"] = reduce_text(study.objective.reduce);
  json["objectives"] = objectives_json(study);
  json["other_metrics"] = report::other_metrics(study);
  json["space"] = space_json(table.space());
  json["fixed"] = report::fixed_values(study);
  json["is_live"] = table.is_live();
  json["comparison"] = optional_json(store::comparison_of(table.store_folder(), table.name()));
  const report::SearchedTrials searched = report::searched_trials(rows);
  const auto remaining = table.is_live() ? live::remaining_seconds(rows) : std::nullopt;
  json["progress"] = {{"searched", searched.within},
                      {"beyond", searched.beyond},
                      {"limit", optional_json(searched.limit)},
                      {"remaining_seconds", optional_json(remaining)},
                      {"full_steps", study.facts.rungs ? Json(study.facts.rungs->full_steps) : Json()}};
  json["rungs"] = rungs_json(table);
  add_edges(table, json);
  json["failures"] = failures_json(rows.trials);
  const auto saved = report::savings(rows, costs);
  json["stopped_early"] =
      saved ? Json{{"trials", saved->trials}, {"saved_estimate", report::cost_json(saved->cost)}} : Json();
  json["promoted"] = promoted_json(table);
  const auto& promotion = study.facts.promotion;
  json["promotion"] = promotion ? Json{{"model", promotion->model},
                                       {"promoted", promotion->promoted},
                                       {"trial", promotion->trial},
                                       {"version", promotion->version},
                                       {"reason", promotion->reason}}
                                : Json();
  json["warning"] = report::leak_warning(study);
  json["pareto_cost"] = OrderedJson::array();
  for (const store::TrialRow& trial : report::cheapest_and_best(rows, costs))
    json["pareto_cost"].push_back(trial.number);
  const store::MachineFacts* machine = machine_of(study);
  json["machine"] = machine != nullptr ? Json(*machine) : Json();
  json["devices"] = devices_json(rows);
  json["why_no_requests"] = why_no_requests(table);
  json["accepts_requests"] = json["why_no_requests"] == "";
  json["replicates"] = report::replicates_json(rows);
  json["notices"] = notices_json(table);
  return json;
}

std::string points_text(StudyTable& table, int after) {
  const report::StudyRows& rows = table.rows();
  const auto first = std::min(static_cast<std::size_t>(std::max(0, after)), rows.trials.size());
  std::string out = "{\"schema\":1,\"study\":" + quoted(table.name()) +
                    ",\"count\":" + std::to_string(rows.trials.size()) + ",\"epoch\":\"" +
                    format_time(rows.study.created) + "\",\"columns\":{\"number\":";
  const auto add = [&](const char* name, auto number_of) {
    if (name != nullptr) out += std::string(",\"") + name + "\":";
    NumberArray array(out);
    for (std::size_t i = first; i < rows.trials.size(); ++i) array.add(number_of(rows.trials[i]));
  };
  add(nullptr, [](const store::TrialRow& trial) { return std::int64_t{trial.number}; });
  out += ",\"state\":\"";
  for (std::size_t i = first; i < rows.trials.size(); ++i) out += state_letter(rows.trials[i]);
  out += '"';
  add("value", [](const store::TrialRow& trial) { return trial_value(trial, 0); });
  if (rows.study.second) add("value2", [](const store::TrialRow& trial) { return trial_value(trial, 1); });
  add_times(rows, first, out);
  add("device_hours", [&table](const store::TrialRow& trial) { return table.device_hours(trial.number); });
  Json replicates = Json::object();
  for (std::size_t i = first; i < rows.trials.size(); ++i)
    if (const auto original = rows.trials[i].facts.replicate_of)
      replicates[std::to_string(rows.trials[i].number)] = *original;
  out += ",\"replicate_of\":" + replicates.dump() + '}';
  add_parameters(table, first, out);
  add_best_so_far(rows, out);
  return out + "}\n";
}

OrderedJson curves_json(StudyTable& table, const http::Request& request) {
  const store::StudyRow& study = table.rows().study;
  const std::string* trials = request.parameter("trials");
  const std::string* metric = request.parameter("metric");
  const auto most =
      static_cast<std::size_t>(query_number(request, "points", kFewestPoints, kMostPoints).value_or(500));
  const std::string name = metric == nullptr ? study.objective.metric : *metric;
  OrderedJson curves = OrderedJson::array();
  for (const int trial : wanted_trials(table, trials == nullptr ? "best:20" : *trials))
    curves.push_back(curve_json(table, trial, name, most));
  return {{"schema", 1},
          {"study", table.name()},
          {"metric", name},
          {"curves", curves},
          {"rungs", study.facts.rungs ? Json(study.facts.rungs->steps) : Json::array()}};
}

}  // namespace tune::serve
