#include <cmath>

#include "tuner/core/objective_text.h"
#include "tuner/report/numbers/edges.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/numbers/rung_counts.h"
#include "tuner/report/numbers/savings.h"
#include "tuner/report/study/study_document.h"
#include "tuner/report/study/study_setup.h"
#include "tuner/report/text/edge_text.h"
#include "tuner/report/text/failures.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/replicate_table.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/report/text/trial_table.h"

namespace tune::report {
namespace {

constexpr std::size_t kPointsOfOneCurve = 1000;  // of one trial

Json numbers_json(const std::vector<store::TrialRow>& trials) {
  Json list = Json::array();
  for (const auto& trial : trials) list.push_back(trial.number);
  return list;
}

Json curve_json(const std::vector<MetricPoint>& curve) {
  Json steps = Json::array(), values = Json::array();
  const std::vector<MetricPoint> shown =
      curve.size() > kPointsOfOneCurve ? thinned(curve, kPointsOfOneCurve) : curve;
  for (const MetricPoint& point : shown) {
    steps.push_back(point.step);
    values.push_back(number_to_json(point.value));
  }
  return {{"points", curve.size()},
          {"thinned", shown.size() < curve.size()},
          {"steps", steps},
          {"values", values}};
}

Json failures_json(const std::vector<store::TrialRow>& trials) {
  Json list = Json::array();
  for (const FailureGroup& group : failure_groups(trials))
    list.push_back({{"reason", group.reason}, {"trials", group.trials}});
  return list;
}

Json promoted_json(const std::vector<PromotedVersion>& promoted) {
  Json list = Json::array();
  for (const PromotedVersion& version : promoted)
    list.push_back({{"model", version.model},
                    {"version", version.version},
                    {"trial", version.trial},
                    {"reason", version.reason},
                    {"current", version.is_current}});
  return list;
}

Json rungs_json(const std::vector<RungCount>& counts) {
  Json json = Json::array();
  for (const RungCount& count : counts)
    json.push_back({{"step", count.step},
                    {"reached", count.reached},
                    {"stopped", count.stopped},
                    {"paused", count.waiting}});
  return json;
}

}  // namespace

Json importance_json(const ImportanceRows& importance) {
  Json parameters = Json::array();
  for (const auto& [name, share] : importance.shares)
    parameters.push_back({{"name", name}, {"share", share}});
  Json json = {{"trials", importance.trials}, {"parameters", parameters}};
  if (importance.objection.empty())
    json["interactions"] = importance.interactions;
  else
    json["reason"] = importance.objection;
  return json;
}

Json study_document_json(const StudyMaterial& material) {
  const StudyRows& rows = material.rows;
  const CostReport costs = costs_of(rows);
  Json json = status_json(rows);
  json["spec"] = rows.study.spec;
  // A report is passed on; what a trainer needs to know of its environment is not.
  if (json["spec"].is_object()) json["spec"].erase("environment");
  json["seed"] = rows.study.seed;
  json["reduce"] = reduce_text(rows.study.objective.reduce);
  json["facts"] = rows.study.facts;
  if (rows.study.second) json["objectives"][1]["reduce"] = reduce_text(rows.study.second->reduce);
  json["leaderboard"] = numbers_json(leaderboard(rows.trials, rows.study.objective));
  json["replicates"] = replicates_json(rows);
  json["pareto_front"] = numbers_json(cheapest_and_best(rows, costs));
  json["edges"] = edges_json(best_edges(rows));
  json["importance"] = importance_json(material.importance);
  if (material.second_importance) json["second_importance"] = importance_json(*material.second_importance);
  json["failures"] = failures_json(rows.trials);
  const auto saved = savings(rows, costs);
  json["stopped_early"] =
      saved ? Json{{"trials", saved->trials}, {"saved_estimate", cost_json(saved->cost)}} : Json();
  json["rungs"] = rungs_json(rung_counts(rows, material.curves));
  json["promoted"] = promoted_json(material.promoted);
  json["model"] = material.model;
  json["trials"] = Json::array();
  const std::optional<StudyFront> front = study_front(rows);
  for (const auto& trial : rows.trials) {
    Json entry = trial_json(trial, costs);
    entry["metrics"] = other_metrics_json(rows, trial.number);
    if (front) entry["front"] = front->has(trial.number);
    const auto curve = material.curves.find(trial.number);
    entry["curve"] = curve == material.curves.end() ? Json() : curve_json(curve->second);
    json["trials"].push_back(std::move(entry));
  }
  json["made"] = format_time(material.made);
  json["tune"] = material.version;
  return json;
}

}  // namespace tune::report
