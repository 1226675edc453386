#pragma once
// Time as the engine sees it, so that tests can turn the hands themselves.
#include <chrono>
#include <cstdint>
#include <string>

namespace tune {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using Milliseconds = std::chrono::milliseconds;

// Time, so that tests can turn it. Owned by the code that starts a command; any thread. Waits for nothing.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime steady_now() const = 0;  // for every timeout and duration
  virtual WallTime wall_now() const = 0;      // for display and for the store only
};

class SystemClock final : public Clock {
 public:
  SteadyTime steady_now() const override;
  WallTime wall_now() const override;
};

// A clock that stands still until it is moved. Used by tests; not thread-safe.
class ManualClock final : public Clock {
 public:
  SteadyTime steady_now() const override { return steady_; }
  WallTime wall_now() const override { return wall_; }
  void advance(Milliseconds by) { steady_ += by, wall_ += by; }
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  SteadyTime steady_{std::chrono::hours(1)};
  WallTime wall_{Milliseconds(1'700'000'000'000)};
};

// "90s", "20m", "2h", "1d", also "1500ms" and "1h30m". Throws std::invalid_argument with a sentence for
// anything else.
Milliseconds parse_duration(const std::string& text);
// "850ms", "42s", "3m 20s", "2h 05m", "3d 4h".
std::string format_duration(Milliseconds duration);
// RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.000Z".
std::string format_time(WallTime time);

}  // namespace tune
