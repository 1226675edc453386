#include "tuner/serve/trial_view.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "store/study_versions.h"
#include "tuner/billing/neighbours.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/line_splitter.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/attempt/attempt_log.h"
#include "tuner/live/started_command.h"
#include "tuner/live/study_place.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/text/console_state.h"
#include "tuner/report/text/trial_explanation.h"
#include "tuner/report/text/trial_report.h"
#include "tuner/serve/query_number.h"

namespace tune::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostArtifacts = 200;
constexpr std::size_t kLogPiece = 256 << 10;
constexpr std::int64_t kMostAttempts = 1'000'000'000, kMostLog = std::int64_t{1} << 50;  // bytes

const store::TrialRow& require_trial(const StudyTable& table, int trial) {
  const std::vector<store::TrialRow>& trials = table.rows().trials;
  if (trial < 1 || static_cast<std::size_t>(trial) > trials.size())
    throw live::unknown_trial(table.store(), table.name(), trial);
  return trials[static_cast<std::size_t>(trial) - 1];
}

// What report::read_trial() reads, out of the table where it has it.
report::TrialRows trial_rows(const StudyTable& table, int number) {
  const report::StudyRows& rows = table.rows();
  const store::StudyStore& store = table.store();
  report::TrialRows trial;
  trial.study = rows.study;
  if (auto row = store.trial(number)) trial.trial = *std::move(row);
  trial.attempts = store.attempts(number);
  const WallTime now = SystemClock().wall_now();
  if (table.is_live()) report::bill_running(trial.attempts, now);
  // Others matter where they share a device with it.
  if (billing::may_share_gpus(rows.study)) {
    for (const store::AttemptRow& attempt : rows.attempts)
      if (attempt.trial != number) trial.others.push_back(attempt);
    trial.neighbours = billing::attempts_beside(table.store_folder(), table.name(), trial.attempts, now);
  }
  trial.console_state = report::console_state(rows, trial.trial);
  trial.metrics = store.metrics(number);
  trial.events = store.events_of(number);
  report::place_among(rows.trials, store, trial);
  return trial;
}

OrderedJson metrics_json(const std::vector<store::MetricRow>& rows) {
  OrderedJson list = OrderedJson::array();
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    double least = std::numeric_limits<double>::infinity(), most = -least;
    for (; end < rows.size() && rows[end].name == rows[begin].name; ++end) {
      if (!std::isfinite(rows[end].point.value)) continue;
      least = std::min(least, rows[end].point.value);
      most = std::max(most, rows[end].point.value);
    }
    const bool any = least <= most;
    list.push_back({{"name", rows[begin].name},
                    {"points", end - begin},
                    {"last", number_to_json(rows[end - 1].point.value)},
                    {"last_step", rows[end - 1].point.step},
                    {"min", any ? Json(least) : Json()},
                    {"max", any ? Json(most) : Json()}});
    begin = end;
  }
  return list;
}

// How the last attempt was started.
void add_command(const fs::path& study_folder, const std::vector<store::AttemptRow>& attempts,
                 OrderedJson& json) {
  live::StartedCommand command;
  if (!attempts.empty())
    command =
        live::started_command(attempt_folder(study_folder, {attempts.back().trial, attempts.back().attempt}));
  json["command"] = command.argv.empty() ? Json() : Json(command.argv);
  json["command_text"] = live::shell_text(command);
}

// Regular files alone, and no links.
OrderedJson artifacts_json(const fs::path& study_folder, const std::vector<store::AttemptRow>& attempts) {
  OrderedJson list = OrderedJson::array();
  for (const store::AttemptRow& attempt : attempts) {
    const fs::path folder = attempt_folder(study_folder, {attempt.trial, attempt.attempt}) / kOutputFolder;
    std::error_code failed;
    for (fs::recursive_directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed)) {
      std::error_code gone;
      if (entry->symlink_status(gone).type() != fs::file_type::regular) continue;
      const std::uint64_t bytes = entry->file_size(gone);
      if (gone) continue;
      list.push_back({{"attempt", attempt.attempt},
                      {"path", entry->path().lexically_relative(folder).generic_string()},
                      {"bytes", bytes}});
      if (list.size() >= kMostArtifacts) return list;
    }
  }
  return list;
}

}  // namespace

OrderedJson trial_json(StudyTable& table, int number) {
  require_trial(table, number);
  const report::TrialRows rows = trial_rows(table, number);
  const fs::path study_folder = live::study_folder(table.store_folder(), table.name());
  const store::StudyRow& study = rows.study;
  const auto versions = store::versions_of_study(table.store_folder(), study.name, study.created);
  OrderedJson details = report::trial_details_json(rows);
  details.erase("metrics");  // their points are curves
  OrderedJson json{{"schema", 1},
                   {"trial", details},
                   {"metrics", metrics_json(rows.metrics)},
                   {"explanation", report::explanation_json(rows, versions)},
                   {"explanation_text", report::explanation_text(rows, versions)},
                   {"text", report::trial_text(rows, /*width=*/100)}};
  const auto best = report::best_trial(table.rows());
  json["best_trial"] = best ? Json(best->number) : Json();
  json["compared_to_best"] =
      best ? report::parameter_differences(rows.trial.parameters, table.parameters_of(best->number))
           : Json::array();
  add_command(study_folder, rows.attempts, json);
  const bool has_environment = study.spec.is_object() && study.spec.contains("environment");
  json["environment_note"] =
      has_environment ? "the spec sets variables of the environment, which are not shown here" : "";
  json["tune_command"] = "tune rerun " + study.name + '/' + std::to_string(number);
  json["folder"] = trial_folder(study_folder, number).string();
  json["artifacts"] = artifacts_json(study_folder, rows.attempts);
  json["versions"] = OrderedJson::array();
  for (const auto& [version, is_current, promotions] : versions)
    if (version.trial == number)
      json["versions"].push_back(
          {{"model", version.model}, {"version", version.version}, {"current", is_current}});
  return json;
}

OrderedJson log_json(StudyTable& table, int number, const http::Request& request) {
  const store::TrialRow& trial = require_trial(table, number);
  const std::vector<store::AttemptRow> attempts = table.store().attempts(number);
  if (attempts.empty()) throw Error(ExitCode::kNotFound, "the trial has not been started yet");
  const std::int64_t wanted =
      query_number(request, "attempt", 0, kMostAttempts).value_or(attempts.back().attempt);
  const auto attempt = std::find_if(attempts.begin(), attempts.end(),
                                    [wanted](const auto& row) { return row.attempt == wanted; });
  if (attempt == attempts.end())
    throw Error(ExitCode::kNotFound, table.name() + '/' + std::to_string(number) + " has no attempt " +
                                         std::to_string(wanted) + "; it has " +
                                         std::to_string(attempts.size()));
  const fs::path folder = attempt_folder(live::study_folder(table.store_folder(), table.name()),
                                         {number, static_cast<int>(wanted)});
  const bool is_live =
      table.is_live() && store::is_live(attempt->state) && trial.state == TrialState::kRunning;
  std::int64_t offset = query_number(request, "offset", -kMostLog, kMostLog).value_or(0);
  if (offset < 0)
    offset = std::max<std::int64_t>(0, static_cast<std::int64_t>(engine::printed_bytes(folder)) + offset);
  const auto begin = static_cast<std::uint64_t>(offset);
  engine::AttemptLog log(folder, begin);
  std::string bytes;
  while (bytes.size() < kLogPiece) {
    const std::string piece = log.read(kLogPiece - bytes.size());
    if (piece.empty()) break;
    bytes += piece;
  }
  std::uint64_t next = log.position();
  // A piece ends with a line: the next one begins with another. A line without an end is not waited for for
  // ever.
  const std::size_t last = bytes.find_last_of("\n\r");
  const bool is_cut = is_live || bytes.size() >= kLogPiece;
  if (is_cut && last != std::string::npos) {
    next -= bytes.size() - last - 1;
    bytes.resize(last + 1);
  } else if (is_live && bytes.size() < kLogPiece) {
    next -= bytes.size();
    bytes.clear();
  }
  std::string text;
  LineSplitter splitter({/*colors=*/false, /*empty_lines=*/true});
  const auto add = [&text](std::string_view line) { text.append(line).append("\n"); };
  splitter.feed(bytes, add);
  splitter.finish(add);
  return {{"schema", 1},       {"study", table.name()}, {"trial", number},
          {"attempt", wanted}, {"begin", begin},        {"next", next},
          {"text", text},      {"live", is_live},       {"attempts", attempts.size()}};
}

}  // namespace tune::serve
