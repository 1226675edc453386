// `tune compare FILE`: approaches side by side in the same test.
#include <algorithm>
#include <ostream>

#include "store/comparison_store.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/gpu_options.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/status_display.h"
#include "tuner/cli/store_path.h"
#include "tuner/compare/comparison_report.h"
#include "tuner/compare/comparison_run.h"
#include "tuner/compare/test_program.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/loop/spending.h"
#include "tuner/os/atomic_file.h"
#include "tuner/report/text/format.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

struct PlannedStudy {
  std::string name, what;
};

std::string runs_text(int runs) { return plural_text(runs, "run"); }

// In the order in which they run.
std::vector<PlannedStudy> planned_studies(const compare::Comparison& comparison) {
  std::vector<PlannedStudy> plan;
  const std::string fresh = runs_text(comparison.seeds) + " of its winner, on fresh seeds";
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
    const auto add = [&](compare::StudyRole role, const std::string& what) {
      plan.push_back({study_name(comparison, i, role), what});
    };
    const std::string defaults = " at default hyperparameters";
    if (!comparison.approaches[i].has_search) {
      add(compare::StudyRole::kDefaults, runs_text(comparison.seeds) + defaults);
      continue;
    }
    const std::optional<int> trials = compare::search_trials(comparison, i);
    const std::string search = trials ? runs_text(*trials) : "as many runs as its time allows";
    add(compare::StudyRole::kSearch, search);
    const std::string paid = trials ? "at most " + runs_text(std::max(*trials, comparison.seeds))
                                    : "as many runs as the search's device time pays for,";
    add(compare::StudyRole::kDefaults,
        (comparison.best_of_seeds ? paid : runs_text(comparison.seeds)) + defaults);
    add(compare::StudyRole::kTuned, fresh);
    if (!comparison.random_search) continue;
    add(compare::StudyRole::kRandom,
        (trials ? search : "as many runs as the search had") + " at random points");
    add(compare::StudyRole::kRandomTuned, fresh);
  }
  return plan;
}

// "at most 1.20 h", the same of wall time, "$3.67".
std::vector<std::string> time_cells(double device_hours, std::optional<double> wall_hours,
                                    const std::string& bound, const compare::Comparison& comparison) {
  std::string usd;
  if (comparison.usd_per_hour) usd = report::usd_text(device_hours * *comparison.usd_per_hour);
  return {bound + (bound.empty() ? "" : " ") + report::hours_text(device_hours),
          wall_hours ? report::hours_text(*wall_hours) : "", usd};
}

// What is not known says why.
std::vector<std::string> forecast_cells(const store::CostForecast& part,
                                        const compare::Comparison& comparison) {
  if (!part.device_hours) return {"not known: " + part.reason, "", ""};
  return time_cells(*part.device_hours, part.wall_hours, part.at_most ? "at most" : "", comparison);
}

report::Table forecast_table(const std::vector<PlannedStudy>& plan, const compare::ComparisonPreview& preview,
                             const compare::Comparison& comparison) {
  report::Table table;
  table.columns = {{"what", report::Align::kLeft, true},
                   {"runs", report::Align::kLeft, true},
                   {"device time", report::Align::kRight},
                   {"wall time", report::Align::kRight}};
  if (comparison.usd_per_hour) table.columns.push_back({"cost", report::Align::kRight});
  const auto add = [&](const std::string& what, const std::string& runs, std::vector<std::string> cells) {
    auto& row = table.rows.emplace_back();
    row = {what, runs};
    for (std::string& cell : cells) row.push_back(std::move(cell));
    row.resize(table.columns.size());
  };
  for (const PlannedStudy& study : plan)
    add(study.name, study.what, forecast_cells(preview.studies.at(study.name), comparison));
  if (compare::needs_builtin_trainer(comparison))
    add("probing", "", time_cells(preview.probing_hours, std::nullopt, "", comparison));
  add(comparison.own_test ? "testing" : "predicting on the test " + preview.task.unit,
      preview.predicting.models ? plural_text(*preview.predicting.models, "model") : "",
      forecast_cells(preview.predicting, comparison));
  const compare::ForecastTotal& total = preview.total;
  add("total", "",
      total.device_hours > 0
          ? time_cells(total.device_hours, total.wall_hours, total.bound, comparison)
          : std::vector<std::string>{"not known: nothing of it is measured beforehand", "", ""});
  return table;
}

// What is wrong with the numbers to come, as the comparison's tables will say it.
compare::ComparisonReport report_to_come(const compare::Comparison& comparison,
                                         const compare::ComparisonPreview& preview) {
  compare::ComparisonReport report;
  report.test_leaks = comparison.test.leaks;
  report.validation_leaks = comparison.test.validation_leaks;
  report.test_is_cut = comparison.test.split.has_value();
  report.crossing_overlaps = preview.audit.crossing_overlaps;
  report.warnings = preview.audit.warnings;
  report.test.unit = preview.task.unit;
  report.test.no_audit = preview.audit.none;
  return report;
}

// Whether the budget pays for the forecast; "" without a budget.
std::string budget_line(const compare::Comparison& comparison, const compare::ForecastTotal& total) {
  const auto budget = engine::device_budget(comparison.budget, comparison.usd_per_hour);
  if (!budget) return {};
  const double hours = budget->seconds / 3600;
  std::string line = "The budget is " + report::hours_text(hours) + " of device time";
  if (comparison.usd_per_hour) line += ", " + report::usd_text(hours * *comparison.usd_per_hour);
  return line +
         (total.device_hours == 0 ? "; the runs that it pays for are counted as they are made."
          : total.device_hours <= hours
              ? "."
              : ": less than that, so searches are shortened first, then runs are left out.") +
         '\n';
}

std::string test_in_words(const compare::Comparison& comparison) {
  if (comparison.own_test) return compare::test_text(*comparison.own_test);
  return comparison.test.split ? "the third part of " + comparison.test.data : comparison.test.data;
}

const char* what_was_done(const compare::Comparison& comparison, bool is_audited) {
  if (!compare::needs_builtin_trainer(comparison))
    return "Programs of one's own are not measured beforehand, and nothing is known of their data";
  if (comparison.own_test) return "The trainer was measured; nothing is known of what the test reads";
  return is_audited ? "The data was audited and the trainer measured" : "The trainer was measured";
}

Json total_json(const compare::ForecastTotal& total) {
  Json json = {
      {"device_hours", total.device_hours}, {"wall_hours", total.wall_hours}, {"bound", total.bound}};
  if (total.usd) json["usd"] = *total.usd;
  return json;
}

int print_dry_run(const compare::Comparison& comparison, const compare::ComparisonPreview& preview,
                  bool as_json, Console& console) {
  const std::vector<PlannedStudy> plan = planned_studies(comparison);
  const compare::ComparisonReport to_come = report_to_come(comparison, preview);
  const std::string test = test_in_words(comparison);
  if (as_json) {
    Json studies = Json::array();
    for (const PlannedStudy& study : plan) {
      Json row = preview.studies.at(study.name);
      row["study"] = study.name;
      row["runs"] = study.what;
      studies.push_back(std::move(row));
    }
    print_json({{"schema", 1},
                {"comparison", comparison.name},
                {"studies", studies},
                {"probing", {{"device_hours", preview.probing_hours}}},
                {"predicting", preview.predicting},
                {"total", total_json(preview.total)},
                {"test", test},
                {"leaks",
                 {{"test", to_come.test_leaks},
                  {"validation", to_come.validation_leaks},
                  {"crossing_overlaps", to_come.crossing_overlaps}}},
                {"warnings", to_come.warnings}},
               console);
    return 0;
  }
  console.out << "Comparison " << comparison.name << "\n\n"
              << report::text_table(forecast_table(plan, preview, comparison), /*width=*/0) << '\n'
              << budget_line(comparison, preview.total) << "Then every model is "
              << (comparison.own_test ? "tested, once, by " : "scored, once, on ") << visible_text(test)
              << ".\n";
  for (const std::string& line : compare::leak_remarks(to_come)) console.out << line << '\n';
  for (const std::string& line : to_come.warnings)
    console.out << "Warning of the data: " << visible_text(line) << '\n';
  console.out << what_was_done(comparison, to_come.test.no_audit.empty())
              << "; no trial was started, and nothing is kept.\n";
  return 0;
}

compare::ComparisonHooks hooks_for(Console& console, bool as_json, std::size_t studies, const Clock& clock) {
  compare::ComparisonHooks hooks;
  hooks.study.make_status = [&console, as_json, &clock](const store::StudyRow& row,
                                                        const std::vector<store::TrialRow>& trials) {
    return make_status_display(console, as_json, StudyProgress(row, trials, clock));
  };
  hooks.study.on_runner = wake_on_signal;
  const auto event = [&console](const char* name, const char* key, const std::string& text) {
    print_json({{"schema", 1}, {"event", name}, {key, text}}, console);
    console.out.flush();
    console.out.clear();  // its reader may be gone; the work goes on
  };
  hooks.begin_study = [&console, as_json, studies, event](const std::string& study) {
    if (as_json) return event("study", "study", study);
    console.err << "study " << study << " (of " << studies << ")\n";
    console.err.clear();
  };
  hooks.notice = [&console, as_json, event](const std::string& sentence) {
    if (as_json) return event("notice", "message", sentence);
    console.err << visible_text(sentence) << '\n';
    console.err.clear();
  };
  return hooks;
}

}  // namespace

int compare_command(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "compare");
  declare_gpus(declared.positional("FILE", "the comparison, as JSON"))
      .flag("score-again", "test the frozen models once more; this is counted and shown")
      .flag("dry-run",
            "audit the data and measure the trainer, where tune-train does the work; print the studies with "
            "their time and cost, and what leaks");
  const auto options = declared.parse(arguments, console);
  if (!options) return 0;
  choose_gpus(*options);
  const bool as_json = options->has("json");
  const compare::Comparison comparison = compare::read_comparison(options->text("FILE"));
  const fs::path store = fs::absolute(store_folder(*options)).lexically_normal();
  const SystemClock clock;
  const compare::ComparisonHooks hooks =
      hooks_for(console, as_json, planned_studies(comparison).size(), clock);
  const SignalsCaught signals;
  const compare::ComparisonRequest request{store, comparison, TUNE_VERSION, options->has("score-again")};
  if (options->has("dry-run")) {
    const auto preview = compare::preview_comparison(request, hooks, interruption());
    if (!preview) {
      console.err << "interrupted\n";
      return static_cast<int>(ExitCode::kInterrupted);
    }
    return print_dry_run(comparison, *preview, as_json, console);
  }
  if (!compare::run_comparison(request, hooks, clock, interruption())) {
    console.err << "interrupted; the same command goes on with the comparison\n";
    return static_cast<int>(ExitCode::kInterrupted);
  }
  const fs::path folder = comparison_folder(store, comparison.name);
  const store::ComparisonStore record(comparison_database(folder), store::OpenMode::kRead);
  const compare::ComparisonReport report = compare::read_comparison_report(store, comparison, record);
  write_file_atomically(folder / "comparison.md", compare::comparison_markdown(report));
  if (as_json)
    print_json(compare::comparison_json(report), console);
  else
    console.out << compare::comparison_text(report) << (folder / "comparison.md").string()
                << "\nas a page with pictures: tune report " << comparison.name
                << (is_store_named(*options) ? " --store " + visible_text(store.string()) : std::string())
                << '\n';
  finish_output(console.out, ExitCode::kOk);
  return 0;
}

}  // namespace tune::cli
