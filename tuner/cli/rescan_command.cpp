// `tune rescan STUDY`: reads the logs of finished trials again, with the regexes that the spec has now.
#include <ostream>
#include <set>

#include "tuner/cli/checked_spec.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/line_splitter.h"
#include "tuner/core/number_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/attempt/attempt_log.h"
#include "tuner/engine/study/rescan.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/live/stored_spec.h"
#include "tuner/metrics/metric_reader.h"
#include "tuner/metrics/regex_objection.h"
#include "tuner/report/text/format.h"

namespace tune::cli {
namespace {

// `said` gets what a person should know of the reading.
engine::LogMetrics read_log(const engine::LogQuestion& question, std::set<std::string>& said) {
  metrics::MetricReader reader(question.metrics, {question.steps_done, question.steps_counted});
  LineSplitter splitter;
  engine::AttemptLog log(question.attempt_folder);
  engine::LogMetrics result;
  const auto on_line = [&](std::string_view line) {
    for (metrics::Match& match : reader.read(line)) {
      result.unread[match.name].is_last = false;
      result.records.push_back({std::move(match.name), match.point, {}});
    }
    for (const metrics::Unread& unread : reader.unread()) {
      engine::UnreadLines& lines = result.unread[unread.name];
      lines = {lines.count + 1, unread.text, true};
    }
  };
  for (std::string text = log.read(); !text.empty(); text = log.read()) {
    result.is_cut = result.is_cut || dropped_in_marker(text);
    splitter.feed(text, on_line);
  }
  if (question.takes_last_line) {
    splitter.finish(on_line);
    reader.finish();
  }
  for (const metrics::Notice& notice : reader.take_notices()) {
    if (notice.about == "step") result.counted.insert(notice.metric);
    said.insert((notice.metric.empty() ? "" : "metric \"" + notice.metric + "\": ") + notice.text);
  }
  return result;
}

Spec read_new_spec(const std::string& file, const std::string& study) {
  Spec spec = read_spec(file, SpecUse::kRun, metrics::regex_objection);
  spec.study = study;  // as a run with --name has it
  return spec;
}

Spec read_old_spec(const store::StudyStore& study) {
  const store::StudyRow row = study.study();
  return live::read_stored_spec(row, row.folder, study.file());
}

std::string end_text(const store::TrialRow& trial) {
  std::string text = to_string(trial.state);
  if (!trial.failure.empty()) text += " (" + trial.failure + ")";
  if (!trial.values.empty()) text += " with " + number_text(trial.values.front());
  return text;
}

Json end_json(const store::TrialRow& trial) {
  return {{"state", to_string(trial.state)},
          {"failure", trial.failure},
          {"value", trial.values.empty() ? Json() : number_to_json(trial.values.front())}};
}

void print_report(const engine::RescanReport& report, const std::string& study, Console& console) {
  for (const engine::RescannedTrial& trial : report.changed)
    console.out << "trial " << trial.before.number << ": " << end_text(trial.before) << " -> "
                << end_text(trial.after) << '\n';
  for (const std::string& sentence : report.left_alone)
    console.err << "notice: " << visible_text(sentence) << '\n';
  console.out << report.changed.size() << (report.changed.size() == 1 ? " trial has" : " trials have")
              << " other metrics now, " << report.unchanged << " are as they were\n";
  if (report.has_new_spec)
    console.out << "The study has the metrics of this spec from now on; `tune --spec` or `tune resume "
                << study << "` goes on with it.\n";
}

Json report_json(const engine::RescanReport& report, const std::string& study) {
  Json changed = Json::array();
  for (const engine::RescannedTrial& trial : report.changed)
    changed.push_back({{"trial", trial.before.number},
                       {"before", end_json(trial.before)},
                       {"after", end_json(trial.after)}});
  return {{"schema", 1},
          {"study", study},
          {"changed", changed},
          {"unchanged", report.unchanged},
          {"left_alone", report.left_alone},
          {"new_spec", report.has_new_spec}};
}

}  // namespace

int rescan_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "rescan")
          .positional("STUDY", "the study's name")
          .value("spec", "FILE", "a spec whose metrics differ from the study's, and nothing else")
          .parse(arguments, console);
  if (!options) return 0;
  const std::filesystem::path store = std::filesystem::absolute(store_folder(*options)).lexically_normal();
  const std::string study = options->text("STUDY");
  require_study(store, study);
  engine::hold_study(store, study);  // brings an older database up to date
  Spec spec = options->has("spec") ? read_new_spec(options->text("spec"), study)
                                   : read_old_spec(open_study_for_reading(store, study));
  const std::string text = spec.text;
  if (spec.trainer) engine::apply_builtin_trainer(spec, engine::find_builtin_trainer(), spec.file, text);
  std::set<std::string> said;
  const engine::RescanReport report =
      engine::rescan_study({store, study, spec, text,
                            [&](const engine::LogQuestion& question) { return read_log(question, said); }},
                           SystemClock());
  for (const std::string& sentence : said) console.err << "notice: " << visible_text(sentence) << '\n';
  if (options->has("json"))
    print_json(report_json(report, study), console);
  else
    print_report(report, study, console);
  return 0;
}

}  // namespace tune::cli
