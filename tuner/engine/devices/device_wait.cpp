#include "tuner/engine/devices/device_wait.h"

#include <thread>

namespace tune::engine {
namespace {

constexpr Milliseconds kLookForDevice{250};

}  // namespace

std::optional<DeviceShare> wait_for_share(DevicePool& pool, const DeviceWait& wait) {
  bool told = false;
  while (wait.signals() == 0) {
    if (auto share = pool.take()) return share;
    for (const std::string& notice : pool.capacity().notices) wait.notice(notice);
    if (!told) wait.notice(std::string("every GPU is in use; ") + wait.purpose + " as soon as one is free");
    told = true;
    std::this_thread::sleep_for(kLookForDevice);
  }
  return std::nullopt;
}

}  // namespace tune::engine
