// A comparison as JSON.
#include "tuner/compare/comparison_report.h"
#include "tuner/core/objective_text.h"
#include "tuner/report/text/format.h"

namespace tune::compare {
namespace {

Json optional_json(const std::optional<double>& number) { return number ? number_to_json(*number) : Json(); }

const char* kind_text(RowKind kind) {
  switch (kind) {
    case RowKind::kDefaults:
      return "defaults";
    case RowKind::kBestOfSeeds:
      return "best_of_seeds";
    case RowKind::kTuned:
      return "tuned";
    case RowKind::kRandom:
      return "random_search";
  }
  return "";
}

// The scores of a run, or of a row: COCO's names for its own, else "score" and the second number's name.
void add_scores(const TestNumber& test, const std::optional<double>& score,
                const std::optional<double>& second, Json& json) {
  json[test.is_average_precision() ? "AP" : "score"] = optional_json(score);
  if (!test.second.empty()) json[test.second] = optional_json(second);
}

Json run_json(const RunRow& run, const TestNumber& test) {
  Json json = {{"model", run.model},
               {"study", run.study},
               {"trial", run.trial},
               {"validation", number_to_json(run.validation)}};
  add_scores(test, run.score, run.second, json);
  return json;
}

Json row_json(const ComparisonRow& row, const TestNumber& test) {
  Json runs = Json::array();
  for (const RunRow& run : row.runs) runs.push_back(run_json(run, test));
  Json json = {{"name", row_name(row)},
               {"approach", row.approach},
               {"kind", kind_text(row.kind)},
               {"table", to_string(row.table)},
               {"runs", runs},
               {"winner", row.winner ? run_json(*row.winner, test) : Json()},
               {"chosen", row.winner ? Json(row.chosen) : Json()},
               {"precision", row.precision.empty() ? Json() : Json(row.precision)},
               {"validation_metric", row.validation_metric},
               {"selection", optional_json(row.selection)},
               {"fresh_validation", optional_json(row.fresh_validation)},
               {"cost", report::cost_json(row.cost)},
               {"predicted_device_hours", optional_json(row.predicted_hours)},
               {"predicted_at_most", row.predicted_at_most},
               {"parameters", optional_json(row.parameters)},
               {"multiply_adds", optional_json(row.multiply_adds)},
               {"latency_ms", optional_json(row.latency_ms)},
               {"peak_memory_bytes", optional_json(row.peak_memory_bytes)},
               {"training_memory_bytes", optional_json(row.training_memory_bytes)}};
  add_scores(test, row.score, row.second, json);
  const std::string name = test.is_average_precision() ? "AP" : "score";
  json[name + "_spread"] = optional_json(row.score_spread);
  json[name + "_interval"] =
      row.score_interval ? Json{row.score_interval->low, row.score_interval->high} : Json();
  json["winner_" + name] = optional_json(row.winner_score);
  return json;
}

Json answer_json(const ComparisonReport& report, const ComparisonAnswer& one) {
  const Answer& answer = one.answer;
  return {{"question", one.question},
          {"row", row_name(report.rows[one.row])},
          {"against", row_name(report.rows[one.against])},
          {"difference", optional_json(answer.difference)},
          {"standard_error", optional_json(answer.standard_error)},
          {"degrees_of_freedom", optional_json(answer.degrees)},
          {"interval", answer.low ? Json{*answer.low, *answer.high} : Json()},
          {"no_interval", answer.too_few ? Json(to_string(*answer.too_few)) : Json()},
          {"p", optional_json(answer.p)},
          {"adjusted_p", optional_json(answer.adjusted_p)},
          {"smallest_visible", optional_json(answer.smallest_seen)},
          {"verdict", to_string(answer.verdict)}};
}

Json study_cost_json(const StudyCost& study) {
  return {{"study", study.study},
          {"completed", report::cost_json(study.completed)},
          {"stopped", report::cost_json(study.stopped)},
          {"failed", report::cost_json(study.failed)},
          {"retried", report::cost_json(study.retried)},
          {"validating", report::cost_json(study.validating)},
          {"total", report::cost_json(study.total)},
          {"idle", report::cost_json(study.idle)},
          {"predicted_device_hours", optional_json(study.predicted_hours)},
          {"predicted_at_most", study.predicted_at_most},
          {"no_prediction", study.no_prediction}};
}

Json test_json(const ComparisonReport& report) {
  const TestNumber& test = report.test;
  Json json = {{"scoring", report.scoring_number}, {"scorings", report.scorings}};
  if (!test.is_average_precision()) {
    json["metric"] = test.name;
    json["goal"] = goal_text(test.goal);
    if (!test.is_own) json["unit"] = test.unit;
  }
  if (!test.no_audit.empty()) json["no_audit"] = test.no_audit;
  if (test.is_own) {
    json["by"] = test.own_test;
    return json;
  }
  json.update({{"images", report.images},
               {"groups", report.groups},
               {"resamples", report.resamples},
               {"leaks", report.test_leaks},
               {"validation_leaks", report.validation_leaks},
               {"crossing_overlaps", report.crossing_overlaps}});
  return json;
}

// Null without a budget.
Json budget_json(const ComparisonReport& report) {
  if (!report.budget.gpu_hours && !report.budget.cost_usd) return nullptr;
  Json cut = Json::array();
  for (const CutStudy& study : report.cut) cut.push_back({{"study", study.study}, {"what", study.what}});
  return {{"gpu_hours", optional_json(report.budget.gpu_hours)},
          {"cost_usd", optional_json(report.budget.cost_usd)},
          {"cut", cut}};
}

}  // namespace

Json comparison_json(const ComparisonReport& report) {
  Json rows = Json::array(), answers = Json::array(), studies = Json::array();
  for (const ComparisonRow& row : report.rows) rows.push_back(row_json(row, report.test));
  for (const ComparisonAnswer& answer : report.answers) answers.push_back(answer_json(report, answer));
  for (const StudyCost& study : report.studies) studies.push_back(study_cost_json(study));
  Json deviations = Json::object();
  for (const Deviations& one : report.deviations) deviations[one.approach] = one.sentences;
  const PredictedTime predicted = predicted_in_all(report);
  return {{"schema", 1},
          {"comparison", report.name},
          {"rows", rows},
          {"answers", answers},
          {"studies", studies},
          {"cost",
           {{"total", report::cost_json(report.total)},
            {"probing", report::cost_json(report.probing)},
            {"predicting", report::cost_json(report.scoring)},
            {"usd_per_hour", optional_json(report.usd_per_hour)},
            {"validating", report::cost_json(report.validating)},
            {"idle", report::cost_json(report.idle)},
            {"predicted_predicting_hours", optional_json(report.predicted_scoring_hours)},
            {"predicted_device_hours", optional_json(predicted.hours)},
            {"predicted_at_most", predicted.at_most},
            {"date", report.price_date}}},
          {"test", test_json(report)},
          {"warnings", report.warnings},
          {"budget", budget_json(report)},
          {"notes", report.notes},
          {"deviations", deviations}};
}

}  // namespace tune::compare
