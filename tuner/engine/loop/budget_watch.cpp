#include "tuner/engine/loop/budget_watch.h"

#include <algorithm>

#include "tuner/core/number_text.h"

namespace tune::engine {
namespace {

constexpr double kMost = 0.8;

bool is_budget_wanted(const std::vector<Notification>& notify) {
  return std::any_of(notify.begin(), notify.end(), [](const Notification& one) {
    return std::find(one.on.begin(), one.on.end(), NotifyOn::kBudget) != one.on.end();
  });
}

// Names of limits as the spec has them.
constexpr const char* kTime = "time";
constexpr const char* kGpuHours = "gpu_hours";
constexpr const char* kCost = "cost_usd";

std::string time_text(const Limits& limits) {
  return "the time limit, " + format_duration(*limits.time) + ",";
}
std::string hours_text(const Limits& limits) {
  return "the device time limit, " + number_text(*limits.gpu_hours) + " h,";
}
std::string cost_text(const Limits& limits) {
  return "the cost limit, $" + number_text(*limits.cost_usd) + ",";
}

}  // namespace

BudgetWatch::BudgetWatch(const Spec& spec, const store::StudyStore& store, Journal& journal)
    : store_(store),
      journal_(journal),
      usd_per_hour_(spec.usd_per_hour),
      is_wanted_(is_budget_wanted(spec.notify)) {}

void BudgetWatch::look(const Limits& limits, Milliseconds elapsed, double device_seconds) {
  const auto look = [&](const char* name, const std::string& limit, double share) {
    if (share >= kMost) say(name, "80 % of " + limit + " is taken", kMost);
  };
  const double hours = device_seconds / 3600;
  if (limits.time)
    look(kTime, time_text(limits),
         static_cast<double>(elapsed.count()) / static_cast<double>(limits.time->count()));
  if (limits.gpu_hours) look(kGpuHours, hours_text(limits), hours / *limits.gpu_hours);
  if (limits.cost_usd && usd_per_hour_)
    look(kCost, cost_text(limits), hours * *usd_per_hour_ / *limits.cost_usd);
}

void BudgetWatch::end(const Limits& limits, store::StudyEnd reason) {
  if (reason == store::StudyEnd::kTimeLimit && limits.time)
    say(kTime, time_text(limits) + " has ended the study", 1);
  if (reason == store::StudyEnd::kDeviceTimeLimit && limits.gpu_hours)
    say(kGpuHours, hours_text(limits) + " has ended the study", 1);
  if (reason == store::StudyEnd::kCostLimit && limits.cost_usd)
    say(kCost, cost_text(limits) + " has ended the study", 1);
}

// The message has the limit's height, so it tells whether this was said before.
void BudgetWatch::say(const std::string& limit, const std::string& message, double share) {
  if (store_.has_event(event_kind(StatusKind::kBudget), {{"about", limit}, {"message", message}})) return;
  StatusEvent event;
  event.kind = StatusKind::kBudget;
  event.about = limit;
  event.message = message;
  event.value = share;
  journal_.note(std::move(event));
}

}  // namespace tune::engine
