// A comparison as a table for terminals, as Markdown and as JSON.
#include <cmath>
#include <cstdio>

#include "tuner/report/comparison_rows.h"
#include "tuner/report/format.h"
#include "tuner/report/table.h"

namespace tune::report {
namespace {

std::string score_text(const std::optional<double>& score, const char* format = "%.3f") {
  if (!score) return "-";
  char text[64];
  std::snprintf(text, sizeof text, format, *score);
  return text;
}

std::string optional_hours(const std::optional<double>& hours) { return hours ? hours_text(*hours) : "-"; }

// Leaking numbers are marked wherever they stand.
std::string marked(const std::string& title, bool leaks) { return leaks ? title + " (leaking)" : title; }

std::string p_text(const std::optional<double>& p) {
  if (!p) return "-";
  return *p < 0.001 ? "<0.001" : score_text(p);
}

Table score_table(const ComparisonReport& report) {
  Table table;
  const bool priced = report.usd_per_hour.has_value();
  table.columns = {{"approach", Align::kLeft, true},
                   {"runs", Align::kRight},
                   {marked("selected by", report.validation_leaks), Align::kRight},
                   {marked("fresh validation", report.validation_leaks), Align::kRight},
                   {marked("test AP", report.test_leaks), Align::kRight},
                   {"sd", Align::kRight},
                   {marked("AP50", report.test_leaks), Align::kRight},
                   {"device time", Align::kRight},
                   {"predicted", Align::kRight}};
  if (priced) table.columns.push_back({"cost", Align::kRight});
  for (const ComparisonRow& row : report.rows) {
    auto& cells = table.rows.emplace_back();
    cells = {row_name(row),
             std::to_string(row.runs.size()),
             score_text(row.selection),
             score_text(row.fresh_validation),
             score_text(row.ap),
             score_text(row.ap_spread),
             score_text(row.ap50),
             hours_text(row.cost.device_hours),
             optional_hours(row.predicted_hours)};
    if (priced) cells.push_back(usd_text(row.cost.usd));
  }
  return table;
}

std::string interval_text(const Answer& answer) {
  if (!answer.low) return "-";
  return score_text(answer.low, "%+.3f") + " to " + score_text(answer.high, "%+.3f");
}

Table answer_table(const ComparisonReport& report) {
  Table table;
  table.columns = {{"question", Align::kLeft, true}, {"of", Align::kLeft, true},
                   {"against", Align::kLeft, true},  {marked("difference", report.test_leaks), Align::kRight},
                   {"interval", Align::kRight},      {"p (Holm)", Align::kRight},
                   {"least visible", Align::kRight}, {"verdict"}};
  for (const ComparisonAnswer& one : report.answers)
    table.rows.push_back({one.question, row_name(report.rows[one.row]), row_name(report.rows[one.against]),
                          score_text(one.answer.difference, "%+.3f"), interval_text(one.answer),
                          p_text(one.answer.adjusted_p), score_text(one.answer.smallest_seen),
                          to_string(one.answer.verdict)});
  return table;
}

// Of training; absent where one of the studies has no prediction.
std::optional<double> predicted_in_all(const ComparisonReport& report) {
  double hours = 0;
  for (const StudyCost& study : report.studies) {
    if (!study.predicted_hours) return std::nullopt;
    hours += *study.predicted_hours;
  }
  return hours;
}

Table cost_table(const ComparisonReport& report) {
  Table table;
  const bool priced = report.usd_per_hour.has_value();
  table.columns = {{"study", Align::kLeft, true},      {"completed", Align::kRight},
                   {"stopped", Align::kRight},         {"failed", Align::kRight},
                   {"of it run again", Align::kRight}, {"device time", Align::kRight},
                   {"predicted", Align::kRight}};
  if (priced) table.columns.push_back({"cost", Align::kRight});
  const auto add = [&](std::vector<std::string> cells, const Cost& cost) {
    if (priced) cells.push_back(usd_text(cost.usd));
    table.rows.push_back(std::move(cells));
  };
  for (const StudyCost& study : report.studies)
    add({study.study, hours_text(study.completed.device_hours), hours_text(study.stopped.device_hours),
         hours_text(study.failed.device_hours), hours_text(study.retried.device_hours),
         hours_text(study.total.device_hours), optional_hours(study.predicted_hours)},
        study.total);
  add({"probing", "", "", "", "", hours_text(report.probing.device_hours), ""}, report.probing);
  add({"predicting on the test images", "", "", "", "", hours_text(report.scoring.device_hours), ""},
      report.scoring);
  add({"total", "", "", "", "", hours_text(report.total.device_hours),
       optional_hours(predicted_in_all(report))},
      report.total);
  return table;
}

std::string markdown_cell(const std::string& text) {
  std::string cell;
  for (const char c : one_line(text)) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

std::string rows_in_markdown(const Table& table) {
  std::string head = "|", rule = "|", body;
  for (const Column& column : table.columns) {
    head += ' ' + markdown_cell(column.title) + " |";
    rule += column.align == Align::kRight ? "---:|" : "---|";
  }
  for (const auto& row : table.rows) {
    body += '|';
    for (const std::string& cell : row) body += ' ' + markdown_cell(cell) + " |";
    body += '\n';
  }
  return head + '\n' + rule + '\n' + body;
}

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
          {"runs", runs},
          {"winner", row.winner ? run_json(*row.winner) : Json()},
          {"validation_metric", row.validation_metric},
          {"selection", optional_json(row.selection)},
          {"fresh_validation", optional_json(row.fresh_validation)},
          {"AP", optional_json(row.ap)},
          {"AP50", optional_json(row.ap50)},
          {"AP_spread", optional_json(row.ap_spread)},
          {"winner_AP", optional_json(row.winner_ap)},
          {"cost", cost_json(row.cost)},
          {"predicted_device_hours", optional_json(row.predicted_hours)},
          {"peak_memory_bytes", optional_json(row.peak_memory_bytes)}};
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
          {"p", optional_json(answer.p)},
          {"adjusted_p", optional_json(answer.adjusted_p)},
          {"smallest_visible", optional_json(answer.smallest_seen)},
          {"verdict", to_string(answer.verdict)}};
}

Json study_cost_json(const StudyCost& study) {
  return {{"study", study.study},
          {"completed", cost_json(study.completed)},
          {"stopped", cost_json(study.stopped)},
          {"failed", cost_json(study.failed)},
          {"retried", cost_json(study.retried)},
          {"total", cost_json(study.total)},
          {"predicted_device_hours", optional_json(study.predicted_hours)},
          {"no_prediction", study.no_prediction}};
}

}  // namespace

std::vector<TitledTable> comparison_tables(const ComparisonReport& report) {
  std::vector<TitledTable> tables{{"scores", "Scores", score_table(report)}};
  if (!report.answers.empty()) tables.push_back({"questions", "Questions", answer_table(report)});
  tables.push_back({"cost", "Cost", cost_table(report)});
  return tables;
}

std::vector<std::string> comparison_remarks(const ComparisonReport& report) {
  std::vector<std::string> lines;
  if (report.scoring_number == 0) {
    lines.emplace_back("The test images have not been scored yet.");
  } else {
    lines.push_back("Test: " + std::to_string(report.images) + " images in " + std::to_string(report.groups) +
                    " groups (overlapping crops together), scored " +
                    (report.scorings == 1 ? "once, after all training had ended"
                                          : std::to_string(report.scorings) + " times; shown is scoring " +
                                                std::to_string(report.scoring_number) +
                                                ", and only the first was unseen by everybody"));
    lines.push_back("Intervals hold together with 95 %: a paired bootstrap over image groups (" +
                    std::to_string(report.resamples) +
                    " resamples) and over seeds, with Student's t; p-values are Holm's; \"least visible\" is "
                    "the difference that four of five such comparisons would see.");
  }
  lines.emplace_back(
      "\"Tuning helped\" asks whether the tuned hyperparameters, on fresh seeds, beat the best of as many "
      "seeds "
      "at default ones as the search had trials.");
  if (report.test_leaks)
    lines.emplace_back(
        "LEAKING: the test images were cut image by image from the training data, so crops of one surface "
        "may "
        "lie on both sides; with \"grouping\": \"content\" they do not.");
  else if (report.validation_leaks)
    lines.emplace_back(
        "LEAKING: the validation images were cut image by image from the training data; the test images are "
        "a "
        "set of their own.");
  if (report.usd_per_hour)
    lines.push_back("Cost: " + usd_text(report.usd_per_hour) + " for a device for an hour, as of " +
                    report.price_date + ".");
  lines.emplace_back(
      "Device time is that of the leases; validating is within it and not measured apart, and idle devices "
      "are "
      "not measured.");
  lines.insert(lines.end(), report.notes.begin(), report.notes.end());
  return lines;
}

std::string comparison_text(const ComparisonReport& report, int width) {
  std::string text = report.name + '\n';
  for (const TitledTable& one : comparison_tables(report)) text += '\n' + text_table(one.table, width);
  text += '\n';
  for (const std::string& line : comparison_remarks(report)) text += one_line(line) + '\n';
  return text;
}

std::string comparison_markdown(const ComparisonReport& report) {
  std::string text = "# " + one_line(report.name) + '\n';
  for (const TitledTable& one : comparison_tables(report)) {
    if (one.id != "scores") text += "\n## " + one.title + '\n';
    text += '\n' + rows_in_markdown(one.table);
  }
  text += "\n## How to read this\n\n";
  for (const std::string& line : comparison_remarks(report)) text += "- " + one_line(line) + '\n';
  return text;
}

Json comparison_json(const ComparisonReport& report) {
  Json rows = Json::array(), answers = Json::array(), studies = Json::array();
  for (const ComparisonRow& row : report.rows) rows.push_back(row_json(row));
  for (const ComparisonAnswer& answer : report.answers) answers.push_back(answer_json(report, answer));
  for (const StudyCost& study : report.studies) studies.push_back(study_cost_json(study));
  return {{"schema", 1},
          {"comparison", report.name},
          {"rows", rows},
          {"answers", answers},
          {"studies", studies},
          {"cost",
           {{"total", cost_json(report.total)},
            {"probing", cost_json(report.probing)},
            {"predicting", cost_json(report.scoring)},
            {"usd_per_hour", optional_json(report.usd_per_hour)},
            {"predicted_device_hours", optional_json(predicted_in_all(report))},
            {"date", report.price_date},
            {"not_measured", {"validating", "idle"}}}},
          {"test",
           {{"images", report.images},
            {"groups", report.groups},
            {"resamples", report.resamples},
            {"scoring", report.scoring_number},
            {"scorings", report.scorings},
            {"leaks", report.test_leaks},
            {"validation_leaks", report.validation_leaks}}},
          {"notes", report.notes}};
}

}  // namespace tune::report
