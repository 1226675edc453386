#pragma once
// Waiting for a device, for work of our own beside the trials.
#include <functional>
#include <optional>
#include <string>

#include "tuner/engine/devices/device_pool.h"

namespace tune::engine {

struct DeviceWait {
  const std::function<int()>& signals;                    // how many a person has sent
  const std::function<void(const std::string&)>& notice;  // a sentence for people
  const char* purpose;                                    // "tune-train is measured"
};
// A trial's share of the machine, held by lease. nullopt when a signal came first.
std::optional<DeviceShare> wait_for_share(DevicePool& pool, const DeviceWait& wait);

}  // namespace tune::engine
