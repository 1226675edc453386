#include "tuner/billing/device_shares.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

namespace tune::billing {
namespace {

using std::chrono::microseconds;

struct Boundary {
  microseconds time{0};
  bool opens = false;
  std::size_t attempt = 0;
};

// Adds what others had of one device while an attempt was on it. So an attempt that was alone keeps exactly
// its lease.
void share_device(std::vector<Boundary>& boundaries, std::vector<double>& away) {
  std::sort(boundaries.begin(), boundaries.end(),
            [](const Boundary& a, const Boundary& b) { return a.time < b.time; });
  std::set<std::size_t> present;
  microseconds since{0};
  for (const Boundary& boundary : boundaries) {
    if (present.size() > 1) {
      const double others = 1 - 1 / static_cast<double>(present.size());
      const double seconds = std::chrono::duration<double>(boundary.time - since).count();
      for (const std::size_t attempt : present) away[attempt] += seconds * others;
    }
    since = boundary.time;
    if (boundary.opens)
      present.insert(boundary.attempt);
    else
      present.erase(boundary.attempt);
  }
}

}  // namespace

LeaseTime lease_time(const store::AttemptRow& attempt) {
  LeaseTime lease;
  lease.begin = attempt.started.value_or(attempt.created).time_since_epoch();
  lease.end = lease.begin + microseconds(std::llround(attempt.lease_seconds * 1e6));
  if (!attempt.ended) return lease;
  const microseconds late = std::max(microseconds(0), lease.end - attempt.ended->time_since_epoch());
  return {lease.begin - late, lease.end - late};
}

double whole_share(const store::AttemptRow& attempt) {
  return attempt.lease_seconds * static_cast<double>(std::max<std::size_t>(1, attempt.devices.size()));
}

std::vector<double> shared_away(const std::vector<store::AttemptRow>& attempts,
                                const std::vector<store::AttemptRow>& others, const LeaseTime& window) {
  std::map<std::string, std::vector<Boundary>> by_device;
  const auto add = [&](const store::AttemptRow& attempt, std::size_t index) {
    if (attempt.devices.empty()) return;
    const LeaseTime lease = lease_time(attempt);
    const microseconds begin = std::max(lease.begin, window.begin), end = std::min(lease.end, window.end);
    // An attempt without a duration shares nothing, and its end must not be seen before its beginning.
    if (end <= begin) return;
    for (const std::string& device : attempt.devices) {
      by_device[device].push_back({begin, true, index});
      by_device[device].push_back({end, false, index});
    }
  };
  for (std::size_t i = 0; i < attempts.size(); ++i) add(attempts[i], i);
  for (std::size_t i = 0; i < others.size(); ++i) add(others[i], attempts.size() + i);
  std::vector<double> away(attempts.size() + others.size(), 0);
  for (auto& [device, boundaries] : by_device) share_device(boundaries, away);
  away.resize(attempts.size());
  return away;
}

std::vector<double> device_shares(const std::vector<store::AttemptRow>& attempts,
                                  const std::vector<store::AttemptRow>& others) {
  std::vector<double> shares = shared_away(attempts, others, {microseconds::min(), microseconds::max()});
  for (std::size_t i = 0; i < attempts.size(); ++i) shares[i] = whole_share(attempts[i]) - shares[i];
  return shares;
}

double probing_seconds(const store::Probes& probes) {
  double seconds = 0;
  for (const auto& [machine, probe] : probes)
    seconds += probe.lease_seconds.value_or(0) * std::max(1, probe.leased_devices.value_or(1));
  return seconds;
}

double probing_seconds(const store::ComparisonProbes& probes) {
  double seconds = 0;
  for (const auto& [approach, of_approach] : probes) seconds += probing_seconds(of_approach);
  return seconds;
}

}  // namespace tune::billing
