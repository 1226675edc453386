#include "tuner/engine/study/notifying_status.h"

#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/number_text.h"

namespace tune::engine {
namespace {

constexpr const char* kNotification = "notification";  // the kind of the events

const char* state_of(Delivery::End end) {
  switch (end) {
    case Delivery::End::kTold:
      return "told";
    case Delivery::End::kFailed:
      return "failed";
    case Delivery::End::kPassedOver:
      return "passed over";
  }
  return "";
}

}  // namespace

NotifyingStatus::NotifyingStatus(Status& display, store::StudyStore& store, const Clock& clock,
                                 Notifier& notifier)
    : display_(display), store_(store), clock_(clock), notifier_(notifier), journal_(store, clock, *this, [] {
        return false;
      }) {}

void NotifyingStatus::on_event(const StatusEvent& event) {
  display_.on_event(event);
  // Nothing is written here: the loop may be in the middle of something.
  if (event.kind == StatusKind::kBest && notifier_.wants(NotifyOn::kBest))
    events_.emplace_back(NotifyOn::kBest, event);
  if (event.kind == StatusKind::kBudget && notifier_.wants(NotifyOn::kBudget))
    events_.emplace_back(NotifyOn::kBudget, event);
}

void NotifyingStatus::on_tick(SteadyTime now) {
  tell_waiting();
  take_told();
  display_.on_tick(now);
}

Notice NotifyingStatus::notice_of(NotifyOn on, const StatusEvent& event) const {
  Notice notice{on, to_string(on) + (":" + std::to_string(event.id)), {}, Json::object()};
  const store::StudyRow study = store_.study();
  if (on == NotifyOn::kBudget) {
    notice.message = study.name + ": " + event.message;
    notice.details = {{"limit", event.about}, {"share", event.value.value_or(0)}, {"limits", study.limits}};
    return notice;
  }
  const auto trial = store_.trial(event.trial);
  notice.message = study.name + ": trial " + std::to_string(event.trial) +
                   (event.second_value ? " is on the front: " : " is the best so far: ") +
                   study.objective.metric + ' ' + number_text(event.value.value_or(0));
  notice.details = {{"trial", event.trial},
                    {"metric", study.objective.metric},
                    {"value", number_to_json(event.value.value_or(0))},
                    {"parameters", trial ? Json(trial->parameters) : Json::object()}};
  if (event.second_value && study.second) {
    notice.message += ", " + study.second->metric + ' ' + number_text(*event.second_value);
    notice.details["second_metric"] = study.second->metric;
    notice.details["second_value"] = number_to_json(*event.second_value);
  }
  return notice;
}

void NotifyingStatus::record(const std::string& key, NotifyOn on, const char* state,
                             const std::string& message) {
  store_.append_event({0,
                       clock_.wall_now(),
                       kNotification,
                       0,
                       0,
                       {{"key", key}, {"on", to_string(on)}, {"state", state}, {"message", message}}});
}

// What the store cannot take now waits: without the record nobody is told.
void NotifyingStatus::tell_waiting() {
  try {
    while (!events_.empty()) {
      const auto& [on, event] = events_.front();
      const Notice notice = notice_of(on, event);
      record(notice.key, on, "begun", notice.message);
      events_.pop_front();
      notifier_.tell(notice);
    }
  } catch (const Error&) {
    return;  // the loop meets the same, and says so
  }
}

void NotifyingStatus::take_told() {
  for (Delivery& told : notifier_.take_told()) told_.push_back(std::move(told));
  try {
    while (!told_.empty()) {
      const Delivery told = told_.front();
      record(told.key, told.on, state_of(told.end), told.problem);
      told_.pop_front();
      if (told.end == Delivery::End::kFailed && failed_.insert(told.number).second)
        journal_.notice(told.problem + " (said once a run)");
    }
  } catch (const Error&) {
    return;
  }
}

void NotifyingStatus::tell_end(const Notice& notice) {
  if (!notifier_.wants(notice.on)) return;
  try {
    if (store_.has_event(kNotification, {{"key", notice.key}, {"state", "begun"}})) return;
    tell_waiting();
    record(notice.key, notice.on, "begun", notice.message);
  } catch (const Error&) {
    // A store that takes nothing more is what a person has to hear of.
    if (notice.on != NotifyOn::kFailed) return;
  }
  notifier_.tell(notice);
}

void NotifyingStatus::finish() {
  tell_waiting();
  notifier_.wait();
  take_told();
}

}  // namespace tune::engine
