#include "tuner/engine/loop/status.h"

#include <utility>

#include "tuner/core/enum_text.h"

namespace tune::engine {
namespace {

constexpr EnumTexts<StatusKind, 13> kKinds{{{StatusKind::kStudyStarted, "study_started"},
                                            {StatusKind::kTrialQueued, "trial_queued"},
                                            {StatusKind::kAttemptStarted, "attempt_started"},
                                            {StatusKind::kMetric, "metric"},
                                            {StatusKind::kTrialFinished, "trial_finished"},
                                            {StatusKind::kAttemptRequeued, "attempt_requeued"},
                                            {StatusKind::kBest, "best"},
                                            {StatusKind::kNotice, "notice"},
                                            {StatusKind::kBudget, "budget"},
                                            {StatusKind::kRequest, "request"},
                                            {StatusKind::kDraining, "draining"},
                                            {StatusKind::kPromotion, "promotion"},
                                            {StatusKind::kStudyFinished, "study_finished"}}};

}  // namespace

const char* event_kind(StatusKind kind) { return text_of(kKinds, kind); }

std::optional<StatusEvent> stored_event(const store::EventRow& row) {
  const std::optional<StatusKind> kind = find_text(kKinds, row.kind);
  if (!kind) return std::nullopt;
  StatusEvent event;
  event.kind = *kind;
  event.id = row.id;
  event.time = row.time;
  event.trial = row.trial;
  event.attempt = row.attempt;
  const auto text = [&](const char* name) {
    const auto found = row.data.find(name);
    return found != row.data.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  event.message = text("message");
  event.metric = text("metric");
  event.about = text("about");
  event.request = text("request");
  if (const auto value = row.data.find("value"); value != row.data.end())
    event.value = number_from_json(*value);
  if (const auto values = row.data.find("values"); values != row.data.end() && values->size() == 2)
    event.second_value = number_from_json((*values)[1]);
  if (const auto devices = row.data.find("devices"); devices != row.data.end())
    event.devices = devices->get<std::vector<std::string>>();
  if (const auto parameters = row.data.find("parameters"); parameters != row.data.end())
    event.parameters = parameters->get<ParameterSet>();
  if (event.kind == StatusKind::kTrialFinished) event.state = trial_state_from_string(text("state"));
  const auto number = [&](const char* name) {
    const auto found = row.data.find(name);
    return found == row.data.end() ? std::nullopt : std::optional(found->get<int>());
  };
  event.replicate_of = number("replicate_of");
  event.rerun_of = number("rerun_of");
  return event;
}

StatusEvent event_of(AttemptId attempt, StatusKind kind, std::string message) {
  StatusEvent event;
  event.kind = kind;
  event.trial = attempt.trial;
  event.attempt = attempt.attempt;
  event.message = std::move(message);
  return event;
}

}  // namespace tune::engine
