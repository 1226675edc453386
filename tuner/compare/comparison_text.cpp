// A comparison as tables for terminals and in Markdown.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "tuner/compare/comparison_report.h"
#include "tuner/core/plural_text.h"
#include "tuner/report/page/escape.h"
#include "tuner/report/page/markup.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/table.h"

namespace tune::compare {
namespace {

std::string score_text(const std::optional<double>& score, const char* format = "%.3f") {
  if (!score) return "-";
  char text[64];
  std::snprintf(text, sizeof text, format, *score);
  return text;
}

std::string predicted_text(const std::optional<double>& hours, bool at_most) {
  if (!hours) return "-";
  return (at_most ? "at most " : "") + report::hours_text(*hours);
}

// "12.2 M"
std::string in_units(const std::optional<double>& number, double unit, const char* name) {
  return number ? score_text(*number / unit, *number < 10 * unit ? "%.2f " : "%.1f ") + name : "-";
}

// Leaking numbers are marked wherever they stand.
std::string marked(const std::string& title, bool leaks, bool may_leak) {
  return title + (leaks ? " (leaking)" : may_leak ? " (may leak)" : "");
}

// A share has three digits that say something; of another number nobody knows.
std::string test_score_text(const std::optional<double>& score, const ComparisonReport& report) {
  return score_text(score, report.test.range ? "%.3f" : "%.4g");
}
std::string difference_text(const std::optional<double>& difference, const ComparisonReport& report) {
  return score_text(difference, report.test.range ? "%+.3f" : "%+.3g");
}

std::string marked_test(const std::string& title, const ComparisonReport& report) {
  return marked(title, report.test_leaks, report.test_is_cut && report.crossing_overlaps > 0);
}

std::string marked_validation(const std::string& title, const ComparisonReport& report) {
  return marked(title, report.validation_leaks, report.crossing_overlaps > 0);
}

std::string p_text(const std::optional<double>& p) {
  if (!p) return "-";
  return *p < 0.001 ? "<0.001" : score_text(p);
}

std::string score_interval_text(const ComparisonRow& row, const ComparisonReport& report) {
  if (!row.score_interval) return "-";
  return test_score_text(row.score_interval->low, report) + " to " +
         test_score_text(row.score_interval->high, report);
}

report::Table score_table(const ComparisonReport& report, ApproachTable which) {
  report::Table table;
  const bool priced = report.usd_per_hour.has_value();
  table.columns = {{"approach", report::Align::kLeft, true},
                   {"runs", report::Align::kRight},
                   {marked_validation("selected by", report), report::Align::kRight},
                   {marked_validation("fresh validation", report), report::Align::kRight},
                   {test_title(report), report::Align::kRight},
                   {"95 %", report::Align::kRight},
                   {"sd", report::Align::kRight}};
  const bool has_second = !report.test.second.empty();
  if (has_second) table.columns.push_back({marked_test(report.test.second, report), report::Align::kRight});
  table.columns.push_back({"device time", report::Align::kRight});
  table.columns.push_back({"predicted", report::Align::kRight});
  if (priced) table.columns.push_back({"cost", report::Align::kRight});
  for (const ComparisonRow& row : report.rows) {
    if (row.table != which) continue;
    auto& cells = table.rows.emplace_back();
    cells = {row_name(row),
             std::to_string(row.runs.size()),
             score_text(row.selection),
             score_text(row.fresh_validation),
             test_score_text(row.score, report),
             score_interval_text(row, report),
             test_score_text(row.score_spread, report)};
    if (has_second) cells.push_back(score_text(row.second));
    cells.push_back(report::hours_text(row.cost.device_hours));
    cells.push_back(predicted_text(row.predicted_hours, row.predicted_at_most));
    if (priced) cells.push_back(report::usd_text(row.cost.usd));
  }
  return table;
}

// Where the published recipes' rows depart from what was published.
std::vector<std::string> deviation_lines(const ComparisonReport& report) {
  std::vector<std::string> lines;
  for (const Deviations& one : report.deviations)
    for (const std::string& sentence : one.sentences)
      lines.push_back(one.approach + " departs from what was published: " + sentence);
  return lines;
}

// What each search chose, and from which trial; one line a hyperparameter would be longer than the searches.
report::Table choice_table(const ComparisonReport& report) {
  report::Table table;
  table.columns = {
      {"approach", report::Align::kLeft, true}, {"trial"}, {"hyperparameters", report::Align::kLeft, true}};
  for (const ComparisonRow& row : report.rows)
    if (row.winner)
      table.rows.push_back({row_name(row), row.winner->study + "/" + std::to_string(row.winner->trial),
                            report::parameters_text(row.chosen)});
  return table;
}

report::Table size_table(const ComparisonReport& report) {
  constexpr double kMega = 1e6, kGiga = 1e9, kMebibyte = 1 << 20;
  report::Table table;
  table.columns = {
      {"approach", report::Align::kLeft, true},     {"trained in"},
      {"parameters", report::Align::kRight},        {"multiply-adds", report::Align::kRight},
      {"memory, training", report::Align::kRight},  {"memory, predicting", report::Align::kRight},
      {"latency at batch 1", report::Align::kRight}};
  for (const ComparisonRow& row : report.rows)
    table.rows.push_back(
        {row_name(row), row.precision.empty() ? "-" : row.precision, in_units(row.parameters, kMega, "M"),
         in_units(row.multiply_adds, kGiga, "G"), in_units(row.training_memory_bytes, kMebibyte, "MiB"),
         in_units(row.peak_memory_bytes, kMebibyte, "MiB"), in_units(row.latency_ms, 1, "ms")});
  return table;
}

std::string interval_text(const Answer& answer, const ComparisonReport& report) {
  if (!answer.low) return answer.too_few ? to_string(*answer.too_few) : "-";
  return difference_text(answer.low, report) + " to " + difference_text(answer.high, report);
}

report::Table answer_table(const ComparisonReport& report) {
  report::Table table;
  table.columns = {
      {"question", report::Align::kLeft, true}, {"of", report::Align::kLeft, true},
      {"against", report::Align::kLeft, true},  {marked_test("difference", report), report::Align::kRight},
      {"interval", report::Align::kRight},      {"p (Holm)", report::Align::kRight},
      {"least visible", report::Align::kRight}, {"verdict"}};
  for (const ComparisonAnswer& one : report.answers)
    table.rows.push_back({one.question, row_name(report.rows[one.row]), row_name(report.rows[one.against]),
                          difference_text(one.answer.difference, report), interval_text(one.answer, report),
                          p_text(one.answer.adjusted_p), test_score_text(one.answer.smallest_seen, report),
                          to_string(one.answer.verdict)});
  return table;
}

// Nobody validates in no time: the trainer did not say.
std::string validating_text(const report::Cost& cost) {
  return cost.lease_seconds > 0 ? report::hours_text(cost.device_hours) : "-";
}

report::Table cost_table(const ComparisonReport& report) {
  report::Table table;
  const bool priced = report.usd_per_hour.has_value();
  table.columns = {{"study", report::Align::kLeft, true},      {"completed", report::Align::kRight},
                   {"stopped", report::Align::kRight},         {"failed", report::Align::kRight},
                   {"of it run again", report::Align::kRight}, {"of it validating", report::Align::kRight},
                   {"device time", report::Align::kRight},     {"idle", report::Align::kRight},
                   {"predicted", report::Align::kRight}};
  if (priced) table.columns.push_back({"cost", report::Align::kRight});
  const auto add = [&](std::vector<std::string> cells, const report::Cost& cost) {
    if (priced) cells.push_back(report::usd_text(cost.usd));
    table.rows.push_back(std::move(cells));
  };
  for (const StudyCost& study : report.studies)
    add({study.study, report::hours_text(study.completed.device_hours),
         report::hours_text(study.stopped.device_hours), report::hours_text(study.failed.device_hours),
         report::hours_text(study.retried.device_hours), validating_text(study.validating),
         report::hours_text(study.total.device_hours), report::hours_text(study.idle.device_hours),
         predicted_text(study.predicted_hours, study.predicted_at_most)},
        study.total);
  if (!report.test.is_own || report.probing.device_hours > 0)
    add({"probing", "", "", "", "", "", report::hours_text(report.probing.device_hours), "", ""},
        report.probing);
  add({report.test.is_own ? "testing" : "predicting on the test " + report.test.unit, "", "", "", "", "",
       report::hours_text(report.scoring.device_hours), "",
       report.predicted_scoring_hours ? predicted_text(report.predicted_scoring_hours, true) : ""},
      report.scoring);
  const PredictedTime predicted = predicted_in_all(report);
  add({"total", "", "", "", "", validating_text(report.validating),
       report::hours_text(report.total.device_hours), report::hours_text(report.idle.device_hours),
       predicted_text(predicted.hours, predicted.at_most)},
      report.total);
  return table;
}

// What the budget was, and what was not run for lack of it.
std::vector<std::string> budget_remarks(const ComparisonReport& report) {
  std::string limits;
  if (report.budget.cost_usd) limits = report::usd_text(report.budget.cost_usd);
  if (report.budget.gpu_hours)
    limits +=
        (limits.empty() ? "" : " and ") + report::hours_text(*report.budget.gpu_hours) + " of device time";
  if (limits.empty()) return {};
  std::vector<std::string> lines{"Budget of the whole comparison: " + limits +
                                 "; spent: " + report::cost_text(report.total) + "."};
  for (const CutStudy& study : report.cut)
    lines.push_back("For lack of budget: " + study.study + ": " + study.what + ".");
  return lines;
}

bool has_sizes(const ComparisonReport& report) {
  return !report.test.is_own ||
         std::any_of(report.rows.begin(), report.rows.end(), [](const ComparisonRow& row) {
           return !row.precision.empty() || row.training_memory_bytes;
         });
}

// One of a unit, whose name is a plural: "image" for "images".
std::string singular(const std::string& unit) {
  return unit.ends_with('s') ? unit.substr(0, unit.size() - 1) : unit;
}

std::string units_text(const ComparisonReport& report) {
  return std::to_string(report.images) + ' ' +
         (report.images == 1 ? singular(report.test.unit) : report.test.unit);
}

// " in 97 groups (overlapping crops together)"
std::string groups_text(const ComparisonReport& report) {
  if (report.groups == 0) return "";
  return " in " + plural_text(report.groups, "group") +
         (report.test.has_images() ? " (overlapping crops together)" : " (what belongs together)");
}

std::string capital(std::string sentence) {
  if (!sentence.empty())
    sentence[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence[0])));
  return sentence;
}

std::string times_scored(const ComparisonReport& report, const std::string& done) {
  if (report.scorings == 1) return done + " once, after all training had ended";
  return done + " " + std::to_string(report.scorings) + " times; shown is scoring " +
         std::to_string(report.scoring_number) + ", and only the first was unseen by everybody";
}

// What a test of the file's own cannot show, said once.
std::vector<std::string> own_test_remarks(const ComparisonReport& report) {
  const TestNumber& test = report.test;
  std::vector<std::string> lines;
  if (report.scoring_number == 0) {
    lines.emplace_back("The models have not been tested yet.");
  } else {
    lines.push_back("Test: \"" + test.name + "\" of each model, by " + test.own_test + "; " +
                    (test.goal == Goal::kMaximize ? "more" : "less") + " is better; " +
                    times_scored(report, "tested"));
    lines.emplace_back(
        "Intervals hold together with 95 %: over seeds alone, with Student's t; p-values are Holm's; \"least "
        "visible\" is the difference that four of five such comparisons would see.");
  }
  lines.emplace_back(
      "This test gives one number a model and shows no images. So there are no classes, confusions or "
      "pictures, the intervals do not tell how much depends on what was tested on, and nothing was searched "
      "for overlaps: you must make sure that no training has seen the test's data.");
  return lines;
}

}  // namespace

std::string test_title(const ComparisonReport& report) { return marked_test(report.test.title(), report); }

std::string row_name(const ComparisonRow& row) {
  switch (row.kind) {
    case RowKind::kDefaults:
      return row.approach;
    case RowKind::kBestOfSeeds:
      return row.approach + ", best of " + plural_text(row.runs.size(), "seed");
    case RowKind::kTuned:
      return row.approach + " tuned";
    case RowKind::kRandom:
      return row.approach + " tuned by random search";
  }
  return row.approach;
}

std::vector<TitledTable> comparison_tables(const ComparisonReport& report) {
  std::vector<TitledTable> tables;
  report::Table published = score_table(report, ApproachTable::kPublished),
                improved = score_table(report, ApproachTable::kImproved);
  const bool both = !published.rows.empty();
  if (both)
    tables.push_back({"published", "Published recipes", std::move(published), deviation_lines(report)});
  if (!improved.rows.empty() || !both)
    tables.push_back({"scores", both ? "Improved recipes" : "Scores", std::move(improved), {}});
  if (!report.answers.empty()) tables.push_back({"questions", "Questions", answer_table(report), {}});
  if (report::Table choices = choice_table(report); !choices.rows.empty())
    tables.push_back({"choices", "What tuning chose", std::move(choices), {}});
  if (has_sizes(report)) tables.push_back({"sizes", "Size and speed", size_table(report), {}});
  tables.push_back({"cost", "Cost", cost_table(report), {}});
  return tables;
}

std::vector<std::string> leak_remarks(const ComparisonReport& report) {
  std::vector<std::string> lines;
  if (!report.test.no_audit.empty()) lines.push_back(capital(report.test.no_audit) + ".");
  if (report.test_leaks && !report.test.has_images())
    lines.push_back("LEAKING: the test " + report.test.unit +
                    " were cut one by one from the training data, so what is nearly the same may lie on both "
                    "sides; with \"grouping\": \"content\" it does not.");
  else if (report.test_leaks)
    lines.emplace_back(
        "LEAKING: the test images were cut image by image from the training data, so crops of one surface "
        "may lie on both sides; with \"grouping\": \"content\" they do not.");
  else if (report.validation_leaks)
    lines.emplace_back(
        "LEAKING: the validation images were cut image by image from the training data; the test images are "
        "a set of their own.");
  if (report.crossing_overlaps == 0) return lines;
  const bool one = report.crossing_overlaps == 1;
  lines.push_back(
      "MAY LEAK: " + std::to_string(report.crossing_overlaps) +
      (one ? " faint overlap of two images crosses" : " faint overlaps of two images cross") +
      " from one part of the split to another, since keeping all such images together would leave groups too "
      "large to split; " +
      (report.test_is_cut ? "validation and test values" : "validation values") +
      " may be a little too good.");
  return lines;
}

std::vector<std::string> comparison_remarks(const ComparisonReport& report) {
  std::vector<std::string> lines;
  if (report.test.is_own) {
    lines = own_test_remarks(report);
  } else if (report.scoring_number == 0) {
    lines.push_back("The test " + report.test.unit + " have not been scored yet.");
  } else {
    lines.push_back("Test: " + units_text(report) + groups_text(report) + ", " +
                    times_scored(report, "scored"));
    const std::string over = report.test.is_resampled
                                 ? "a paired bootstrap over " + singular(report.test.unit) + " groups (" +
                                       std::to_string(report.resamples) + " resamples) and over seeds"
                                 : "over seeds alone, since the task gives no resamples";
    lines.push_back("Intervals hold together with 95 %: " + over +
                    ", with Student's t; p-values are Holm's; \"least visible\" is "
                    "the difference that four of five such comparisons would see.");
    const bool too_few = std::any_of(report.answers.begin(), report.answers.end(),
                                     [](const ComparisonAnswer& one) { return one.answer.too_few; });
    if (too_few)
      lines.push_back(
          "Where an interval would be wider than the whole range of " + report.test.name +
          ", there is none: the table says what is too few for one, and more \"seeds\" or more test "
          "images give one.");
  }
  lines.emplace_back(
      "\"Tuning helped\" asks whether the tuned hyperparameters, on fresh seeds, beat the best of as many "
      "seeds at default ones as the search's device time pays for.");
  const std::vector<std::string> leaks = leak_remarks(report), budget = budget_remarks(report);
  lines.insert(lines.end(), leaks.begin(), leaks.end());
  for (const std::string& warning : report.warnings) lines.push_back("Warning of the data: " + warning);
  lines.insert(lines.end(), budget.begin(), budget.end());
  if (report.usd_per_hour)
    lines.push_back("Cost: " + report::usd_text(report.usd_per_hour) + " for a device for an hour, as of " +
                    report.price_date + ".");
  lines.emplace_back(
      "Device time is that of the leases; trials that share a device share its time. Validating is within "
      "it. Idle is not: the time in which a device of a running study was leased by none of its trials.");
  lines.insert(lines.end(), report.notes.begin(), report.notes.end());
  return lines;
}

// Names and verdicts stand at the tables' two ends, so a terminal that is too narrow wraps the lines.
std::string comparison_text(const ComparisonReport& report) {
  std::string text = report.name + '\n';
  const std::vector<TitledTable> tables = comparison_tables(report);
  const bool has_published = tables.front().id == "published";
  for (const TitledTable& one : tables) {
    const bool is_headed = has_published && (one.id == "published" || one.id == "scores");
    text +=
        '\n' + (is_headed ? one.title + ":\n" : std::string()) + report::text_table(one.table, /*width=*/0);
    for (const std::string& line : one.lines) text += "  " + one_line(line) + '\n';
  }
  text += '\n';
  for (const std::string& line : comparison_remarks(report)) text += one_line(line) + '\n';
  return text;
}

std::string comparison_markdown(const ComparisonReport& report) {
  std::string text = "# " + report::markdown_escaped(report.name) + '\n';
  for (const TitledTable& one : comparison_tables(report)) {
    if (one.title != "Scores") text += "\n## " + report::markdown_escaped(one.title) + '\n';
    text += '\n' + report::markdown_table(one.table);
    if (!one.lines.empty()) text += '\n';
    for (const std::string& line : one.lines) text += "- " + report::markdown_escaped(line) + '\n';
  }
  text += "\n## How to read this\n\n";
  for (const std::string& line : comparison_remarks(report))
    text += "- " + report::markdown_escaped(line) + '\n';
  return text;
}

}  // namespace tune::compare
