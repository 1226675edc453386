#pragma once
// When an endpoint undeploys itself.
#include <optional>
#include <string>

#include "tuner/core/clock.h"
#include "tuner/endpoint/endpoint.h"

namespace tune::endpoint {

// The next moment at which clocks of this machine's time zone show that time of day: today or tomorrow. Where
// clocks leap over it, the moment that mktime(3) takes for it.
WallTime next_time_of_day(WallTime now, std::chrono::minutes time);

// Keeps an UndeployRule. Owned by the supervisor, made when the endpoint is deployed.
class UndeployTime {
 public:
  UndeployTime(const UndeployRule& rule, const Clock& clock);
  void take_request();  // one has come since, or runs
  // Why it is time by the clock, as the reason of a state: "undeployed at 19:00, as scheduled"; nullopt: it
  // is not. `idle` is to be asked when it is known whether a request has come.
  std::optional<std::string> due() const;
  std::optional<std::string> idle() const;
  std::optional<WallTime> at() const;  // when it will be due; nullopt: never

 private:
  UndeployRule rule_;
  const Clock& clock_;
  SteadyTime deployed_, last_request_;
  std::optional<WallTime> wall_;
};

}  // namespace tune::endpoint
