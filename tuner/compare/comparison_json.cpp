// A comparison as JSON.
#include "tuner/compare/comparison_rows.h"
#include "tuner/report/page/format.h"

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

Json run_json(const RunRow& run) {
  return {{"model", run.model},          {"study", run.study},
          {"trial", run.trial},          {"validation", number_to_json(run.validation)},
          {"AP", optional_json(run.ap)}, {"AP50", optional_json(run.ap50)}};
}

Json row_json(const ComparisonRow& row) {
  Json runs = Json::array();
  for (const RunRow& run : row.runs) runs.push_back(run_json(run));
  return {{"name", row_name(row)},
          {"approach", row.approach},
          {"kind", kind_text(row.kind)},
          {"table", to_string(row.table)},
          {"runs", runs},
          {"winner", row.winner ? run_json(*row.winner) : Json()},
          {"chosen", row.winner ? Json(row.chosen) : Json()},
          {"precision", row.precision.empty() ? Json() : Json(row.precision)},
          {"validation_metric", row.validation_metric},
          {"selection", optional_json(row.selection)},
          {"fresh_validation", optional_json(row.fresh_validation)},
          {"AP", optional_json(row.ap)},
          {"AP50", optional_json(row.ap50)},
          {"AP_spread", optional_json(row.ap_spread)},
          {"winner_AP", optional_json(row.winner_ap)},
          {"cost", report::cost_json(row.cost)},
          {"predicted_device_hours", optional_json(row.predicted_hours)},
          {"predicted_at_most", row.predicted_at_most},
          {"parameters", optional_json(row.parameters)},
          {"multiply_adds", optional_json(row.multiply_adds)},
          {"latency_ms", optional_json(row.latency_ms)},
          {"peak_memory_bytes", optional_json(row.peak_memory_bytes)},
          {"training_memory_bytes", optional_json(row.training_memory_bytes)}};
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
  for (const ComparisonRow& row : report.rows) rows.push_back(row_json(row));
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
          {"test",
           {{"images", report.images},
            {"groups", report.groups},
            {"resamples", report.resamples},
            {"scoring", report.scoring_number},
            {"scorings", report.scorings},
            {"leaks", report.test_leaks},
            {"validation_leaks", report.validation_leaks},
            {"crossing_overlaps", report.crossing_overlaps}}},
          {"warnings", report.warnings},
          {"budget", budget_json(report)},
          {"notes", report.notes},
          {"deviations", deviations}};
}

}  // namespace tune::compare
