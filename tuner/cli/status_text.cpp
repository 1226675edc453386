// The words that the displays share.
#include "tuner/cli/status_display.h"
#include "tuner/report/page/format.h"
#include "tuner/report/page/table.h"

namespace tune::cli {
namespace {

using engine::StatusEvent;
using engine::StatusKind;

std::string with(const std::string& text, const char* separator, const std::string& addition) {
  return addition.empty() ? text : text + separator + addition;
}

std::string trial_name(const StatusEvent& event) {
  return "trial " + std::to_string(event.trial) +
         (event.attempt > 1 ? ", attempt " + std::to_string(event.attempt) : std::string());
}

std::string device_list(const std::vector<std::string>& devices) {
  std::string list;
  for (const std::string& device : devices) list += (list.empty() ? "" : ", ") + device;
  return list;
}

std::string finished_sentence(const StatusEvent& event, const Objective& objective) {
  std::string text = trial_name(event) + ' ' + to_string(event.state);
  if (event.value) text += ": " + objective.metric + ' ' + report::number_text(*event.value);
  if (event.message.empty() || event.message == to_string(event.state)) return text;
  return text + (event.value ? " (" + event.message + ")" : ": " + event.message);
}

std::string sentence(const StatusEvent& event, const Objective& objective) {
  switch (event.kind) {
    case StatusKind::kStudyStarted:
      return event.message;
    case StatusKind::kTrialQueued:
      return with(with(trial_name(event) + " queued", ": ", report::parameters_text(event.parameters)), "; ",
                  event.message);
    case StatusKind::kAttemptStarted:
      return with(with(trial_name(event) + " started", " on ", device_list(event.devices)), ": ",
                  event.message);
    case StatusKind::kMetric:
      return {};
    case StatusKind::kTrialFinished:
      return finished_sentence(event, objective);
    case StatusKind::kAttemptRequeued:
      return with(trial_name(event) + " will run again", ": ", event.message);
    case StatusKind::kBest:
      return with("trial " + std::to_string(event.trial) + " is the best so far", ": ",
                  event.value ? objective.metric + ' ' + report::number_text(*event.value) : event.message);
    case StatusKind::kNotice:
      return with(event.trial > 0 ? trial_name(event) : std::string("notice"), ": ", event.message);
    case StatusKind::kDraining:
      return event.message.empty() ? "draining" : event.message;
    case StatusKind::kPromotion:
      return with("promotion", ": ", event.message);
    case StatusKind::kStudyFinished:
      return with("finished", ": ", event.message);
  }
  return event.message;
}

}  // namespace

std::string event_sentence(const StatusEvent& event, const Objective& objective) {
  return one_line(sentence(event, objective));
}

std::string whole_seconds(SteadyTime::duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return seconds.count() == 0 ? "0s" : format_duration(seconds);
}

std::string totals_line(const StudyProgress& progress) {
  std::string text = std::to_string(progress.finished());
  if (progress.trial_limit()) text += '/' + std::to_string(*progress.trial_limit());
  text += " done";
  if (progress.stopped() + progress.failed() > 0)
    text += " (" + std::to_string(progress.stopped()) + " stopped, " + std::to_string(progress.failed()) +
            " failed)";
  text += ", " + std::to_string(progress.running().size()) + " running";
  if (progress.draining())
    text += ", draining";
  else if (const auto left = progress.remaining())
    text += ", about " + whole_seconds(*left) + " left";
  if (const auto best = progress.best())
    text += " | best " + report::number_text(best->value) + " (trial " + std::to_string(best->trial) + ")";
  return text + " | " + whole_seconds(progress.elapsed());
}

}  // namespace tune::cli
