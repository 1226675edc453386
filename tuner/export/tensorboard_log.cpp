#include "tuner/export/tensorboard_log.h"

#include <array>
#include <cstdio>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/metric_names.h"

namespace tune::exporting {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "tune";

std::string run_name(int trial) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "trial-%05d", trial);
  return text.data();
}

}  // namespace

TensorBoardLog::TensorBoardLog(fs::path folder, const store::StudyRow& study, const SearchSpace& space,
                               WallTime now)
    : folder_(std::move(folder)), study_(study.name) {
  result_tags_.push_back("result/" + study.objective.metric);
  if (study.second) result_tags_.push_back("result/" + study.second->metric);
  TensorBoardFile(folder_, kFileName, now).add_experiment(space, result_tags_, now);
}

void TensorBoardLog::begin_trial(int trial, const ParameterSet& parameters, WallTime now) {
  files_.erase(trial);
  const std::string run = run_name(trial);
  const auto [file, added] = files_.emplace(trial, TensorBoardFile(folder_ / run, kFileName, now));
  file->second.add_session_start(study_ + "/" + std::to_string(trial), parameters, now);
}

void TensorBoardLog::add_point(int trial, const std::string& metric, const MetricPoint& point, WallTime now) {
  const auto file = files_.find(trial);
  if (file != files_.end() && !metric.starts_with(kBookkeeping)) file->second.add_scalar(metric, point, now);
}

void TensorBoardLog::end_trial(int trial, TrialState state, const std::vector<double>& values, WallTime now) {
  const auto file = files_.find(trial);
  if (file == files_.end()) return;
  for (std::size_t i = 0; i < std::min(values.size(), result_tags_.size()); ++i)
    file->second.add_scalar(result_tags_[i], {0, values[i]}, now);
  file->second.add_session_end(state == TrialState::kFailed ? SessionEnd::kFailure : SessionEnd::kSuccess,
                               now);
  files_.erase(file);
}

void export_tensorboard(const fs::path& folder, const store::StudyStore& study, const SearchSpace& space) {
  if (!is_empty_folder(folder))
    throw Error(ExitCode::kConflict, folder.string() + " is there already, and not empty",
                "choose another name");
  const store::StudyRow row = study.study();
  TensorBoardLog log(folder, row, space, row.created);
  for (const store::TrialRow& trial : study.trials()) {
    if (trial.facts.deleted || trial.state == TrialState::kQueued) continue;
    log.begin_trial(trial.number, trial.parameters, trial.started.value_or(trial.created));
    for (const store::MetricRow& metric : study.metrics(trial.number))
      log.add_point(trial.number, metric.name, metric.point, metric.time);
    if (is_finished(trial.state))
      log.end_trial(trial.number, trial.state, trial.values, trial.ended.value_or(row.updated));
    log.leave_trial(trial.number);
  }
}

bool is_empty_folder(const fs::path& folder) {
  std::error_code unknown;
  if (!fs::exists(fs::symlink_status(folder, unknown))) return true;
  return fs::is_directory(folder, unknown) && fs::is_empty(folder, unknown);
}

}  // namespace tune::exporting
