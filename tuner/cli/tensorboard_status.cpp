#include "tuner/cli/tensorboard_status.h"

#include <utility>
#include <vector>

#include "tuner/core/error.h"

namespace tune::cli {

using engine::StatusEvent;
using engine::StatusKind;

TensorBoardStatus::TensorBoardStatus(std::unique_ptr<engine::Status> display,
                                     const std::filesystem::path& folder, const store::StudyStore& study,
                                     const SearchSpace& space, const Clock& clock)
    : display_(std::move(display)), clock_(clock) {
  if (exporting::is_empty_folder(folder)) exporting::export_tensorboard(folder, study, space);
  log_.emplace(folder, study.study(), space, clock.wall_now());
}

void TensorBoardStatus::on_event(const StatusEvent& event) {
  display_->on_event(event);
  if (!log_) return;
  try {
    write(event);
  } catch (const Error& error) {
    log_.reset();
    StatusEvent notice;
    notice.kind = StatusKind::kNotice;
    notice.time = clock_.wall_now();
    notice.message = std::string("TensorBoard gets nothing more of this study: ") + error.what();
    display_->on_event(notice);
  }
}

void TensorBoardStatus::write(const StatusEvent& event) {
  std::vector<double> values;
  if (event.value) values.push_back(*event.value);
  if (event.second_value) values.push_back(*event.second_value);
  switch (event.kind) {
    case StatusKind::kAttemptStarted:
      return log_->begin_trial(event.trial, event.parameters, event.time);
    case StatusKind::kMetric:
      return log_->add_point(event.trial, event.metric, event.point, event.time);
    case StatusKind::kTrialFinished:
      return log_->end_trial(event.trial, event.state, values, event.time);
    case StatusKind::kAttemptRequeued:
      return log_->leave_trial(event.trial);
    default:
      return;
  }
}

}  // namespace tune::cli
