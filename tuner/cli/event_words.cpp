#include "tuner/cli/event_words.h"

#include <utility>

#include "tuner/core/number_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/table.h"

namespace tune::cli {
namespace {

using engine::StatusEvent;
using engine::StatusKind;

std::string with(const std::string& text, const char* separator, const std::string& addition) {
  return addition.empty() ? text : text + separator + addition;
}

std::string trial_name(const StatusEvent& event) { return "trial " + std::to_string(event.trial); }

// Takes what is known of a trial out of a table; nullopt if nothing is.
std::optional<std::string> taken(std::map<int, std::string>& table, int trial) {
  auto node = table.extract(trial);
  return node.empty() ? std::nullopt : std::optional(std::move(node.mapped()));
}

std::string standing(const StatusEvent& event, const StudyProgress& before) {
  if (const auto front = before.front())
    return before.is_new_best(event) ? ", new on the front"
                                     : " (not on the front of " + plural_text(*front, "trial") + ")";
  const auto best = before.best();
  const std::string value = best ? number_text(best->value) : std::string();
  const std::string trial = best ? "trial " + std::to_string(best->trial) : std::string();
  if (!before.is_new_best(event)) return " (best: " + value + ", " + trial + ")";
  return ", the best so far" + (best ? " (before: " + value + ", " + trial + ")" : std::string());
}

std::string finished(const StatusEvent& event, const StudyProgress& before) {
  std::string text = trial_name(event) + ' ' + to_string(event.state);
  if (!event.brief.empty()) return text + ' ' + event.brief;
  if (event.value) text += ": " + before.objective().metric + ' ' + number_text(*event.value);
  if (event.second_value && before.second())
    text += ", " + before.second()->metric + ' ' + number_text(*event.second_value);
  if (event.replicate_of)
    text += " (replicate of trial " + std::to_string(*event.replicate_of) + ")";
  else if (event.rerun_of)
    text += " (repeat of trial " + std::to_string(*event.rerun_of) + ")";
  else if (event.value && event.state == TrialState::kCompleted)
    text += standing(event, before);
  if (event.message == to_string(event.state)) return text;
  return with(text, event.value ? "; " : ": ", event.message);
}

std::string notice(const StatusEvent& event) {
  if (event.trial == 0) return "notice: " + event.message;
  return trial_name(event) + (event.attempt > 1 ? ", attempt " + std::to_string(event.attempt) : "") + ": " +
         event.message;
}

}  // namespace

// It becomes a line when the trial starts; what the strategy takes is said where it changes.
std::string EventWords::suggested(const StatusEvent& event) {
  suggestion_[event.trial] = event.brief;
  if (event.choice.empty() || event.choice == choice_) return {};
  const bool is_first = std::exchange(choice_, event.choice).empty();
  return event.choice + (is_first ? "" : " from " + trial_name(event) + " on") + ", since " +
         event.choice_reason;
}

std::string EventWords::started(const StatusEvent& event, const StudyProgress& before) {
  const auto suggestion = taken(suggestion_, event.trial);
  const auto reason = taken(run_again_, event.trial);
  const std::string attempt = event.attempt > 1 ? " (attempt " + std::to_string(event.attempt) + ")" : "";
  const std::string devices = short_devices(event.devices);
  if (!suggestion && event.attempt > 1)
    return with(with(trial_name(event) + " runs again" + attempt, " on ", devices), ": ",
                reason.value_or(std::string()));
  // A paused trial that goes on was shown with its parameters before.
  if (suggestion && before.is_paused(event.trial))
    return with(with(trial_name(event) + " goes on" + attempt, " on ", devices), ": ", *suggestion);
  const std::string text = with(with(trial_name(event) + " starts" + attempt, " on ", devices), ": ",
                                report::parameters_text(event.parameters));
  return suggestion && !suggestion->empty() ? text + " (" + *suggestion + ")" : text;
}

// The start of the next attempt says why. While the study is drained, none follows; a trial that a rule has
// paused may wait for long.
std::string EventWords::requeued(const StatusEvent& event, const StudyProgress& before) {
  if (event.state == TrialState::kPaused)
    return with(trial_name(event) + " paused", event.brief.empty() ? ": " : " ",
                event.brief.empty() ? event.message : event.brief);
  if (before.draining()) return with(trial_name(event) + " will run again", ": ", event.message);
  run_again_[event.trial] = event.message;
  return {};
}

std::string EventWords::line(const StatusEvent& event, const StudyProgress& before) {
  const auto sentence = [&]() -> std::string {
    switch (event.kind) {
      case StatusKind::kTrialQueued:
        return suggested(event);
      case StatusKind::kAttemptStarted:
        return started(event, before);
      case StatusKind::kTrialFinished:
        suggestion_.erase(event.trial);
        run_again_.erase(event.trial);
        return finished(event, before);
      case StatusKind::kAttemptRequeued:
        return requeued(event, before);
      case StatusKind::kMetric:
      case StatusKind::kBest:  // said with the trial's end, which comes right before
        return {};
      case StatusKind::kNotice:
        return notice(event);
      case StatusKind::kBudget:  // the end of it is said by what it ends
        return event.value < 1.0 ? event.message : std::string();
      case StatusKind::kStudyFinished:
        return with("finished", ": ", event.message);
      case StatusKind::kStudyStarted:
      case StatusKind::kRequest:
      case StatusKind::kDraining:
        return event.message;
      case StatusKind::kPromotion:
        return event.brief.empty() ? event.message : event.brief;
    }
    return event.message;
  };
  return one_line(sentence());
}

std::string short_devices(const std::vector<std::string>& devices) {
  constexpr std::size_t kEnough = 12;
  std::string list;
  for (const std::string& device : devices) list += (list.empty() ? "" : ",") + device.substr(0, kEnough);
  return list;
}

std::string whole_seconds(SteadyTime::duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return seconds.count() == 0 ? "0s" : format_duration(seconds);
}

std::string totals_line(const StudyProgress& progress) {
  std::string text = std::to_string(progress.finished());
  if (progress.trial_limit()) text += '/' + std::to_string(*progress.trial_limit());
  text += " done";
  std::string others;
  if (progress.stopped() > 0) others = std::to_string(progress.stopped()) + " stopped";
  if (progress.failed() > 0)
    others += (others.empty() ? "" : ", ") + std::to_string(progress.failed()) + " failed";
  if (!others.empty()) text += " (" + others + ")";
  if (progress.replicated() > 0) text += ", " + plural_text(progress.replicated(), "replicate");
  if (progress.paused() > 0) text += ", " + std::to_string(progress.paused()) + " paused";
  if (!progress.running().empty()) text += ", " + std::to_string(progress.running().size()) + " running";
  const std::string left = whole_seconds(progress.remaining().value_or(Milliseconds(0)));
  if (progress.draining())
    text += ", draining";
  else if (left != "0s")
    text += ", about " + left + " left";
  if (const auto best = progress.best())
    text += " | best " + number_text(best->value) + " (trial " + std::to_string(best->trial) + ")";
  if (const auto front = progress.front(); front && *front > 0)
    text += " | front " + plural_text(*front, "trial");
  return text + " | " + whole_seconds(progress.elapsed());
}

}  // namespace tune::cli
