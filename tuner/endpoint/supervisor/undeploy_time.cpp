#include "tuner/endpoint/supervisor/undeploy_time.h"

#include <algorithm>
#include <ctime>

namespace tune::endpoint {

WallTime next_time_of_day(WallTime now, std::chrono::minutes time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  for (int days = 0;; ++days) {
    std::tm local{};
    ::localtime_r(&seconds, &local);
    local.tm_mday += days;
    local.tm_hour = static_cast<int>(time.count() / 60);
    local.tm_min = static_cast<int>(time.count() % 60);
    local.tm_sec = 0;
    local.tm_isdst = -1;  // mktime finds out
    const auto found = std::chrono::time_point_cast<Milliseconds>(
        std::chrono::system_clock::from_time_t(std::mktime(&local)));
    if (found > now) return found;
  }
}

UndeployTime::UndeployTime(const UndeployRule& rule, const Clock& clock)
    : rule_(rule), clock_(clock), deployed_(clock.steady_now()), last_request_(deployed_) {
  if (rule.time_of_day) wall_ = next_time_of_day(clock.wall_now(), *rule.time_of_day);
}

void UndeployTime::take_request() { last_request_ = clock_.steady_now(); }

std::optional<std::string> UndeployTime::due() const {
  const SteadyTime now = clock_.steady_now();
  if (wall_ && clock_.wall_now() >= *wall_)
    return "undeployed at " + time_of_day_text(*rule_.time_of_day) + ", as scheduled";
  if (rule_.after && now >= deployed_ + *rule_.after)
    return "undeployed after " + format_duration(*rule_.after) + ", as scheduled";
  return std::nullopt;
}

std::optional<std::string> UndeployTime::idle() const {
  if (!rule_.idle || clock_.steady_now() < last_request_ + *rule_.idle) return std::nullopt;
  return "undeployed, since no request came for " + format_duration(*rule_.idle);
}

std::optional<WallTime> UndeployTime::at() const {
  std::optional<WallTime> found = wall_;
  if (rule_.after) {
    const auto left =
        std::chrono::duration_cast<Milliseconds>(deployed_ + *rule_.after - clock_.steady_now());
    const WallTime then = clock_.wall_now() + left;
    found = found ? std::min(*found, then) : then;
  }
  return found;
}

}  // namespace tune::endpoint
