#include "store/device_shares.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

namespace tune::store {
namespace {

using std::chrono::microseconds;

struct Boundary {
  microseconds time{0};
  bool opens = false;
  std::size_t attempt = 0;
};

// Takes off what others had of one device while an attempt was on it. So whoever was alone keeps exactly the
// lease.
void share_device(std::vector<Boundary>& boundaries, std::vector<double>& shares) {
  std::sort(boundaries.begin(), boundaries.end(),
            [](const Boundary& a, const Boundary& b) { return a.time < b.time; });
  std::set<std::size_t> present;
  microseconds since{0};
  for (const Boundary& boundary : boundaries) {
    if (present.size() > 1) {
      const double others = 1 - 1 / static_cast<double>(present.size());
      const double seconds = std::chrono::duration<double>(boundary.time - since).count();
      for (const std::size_t attempt : present) shares[attempt] -= seconds * others;
    }
    since = boundary.time;
    if (boundary.opens)
      present.insert(boundary.attempt);
    else
      present.erase(boundary.attempt);
  }
}

}  // namespace

LeaseTime lease_time(const AttemptRow& attempt) {
  LeaseTime lease;
  lease.begin = attempt.started.value_or(attempt.created).time_since_epoch();
  lease.end = lease.begin + microseconds(std::llround(attempt.lease_seconds * 1e6));
  if (!attempt.ended) return lease;
  const microseconds late = std::max(microseconds(0), lease.end - attempt.ended->time_since_epoch());
  return {lease.begin - late, lease.end - late};
}

std::vector<double> device_shares(const std::vector<AttemptRow>& attempts) {
  std::vector<double> shares;
  std::map<std::string, std::vector<Boundary>> by_device;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const AttemptRow& attempt = attempts[i];
    shares.push_back(attempt.lease_seconds *
                     static_cast<double>(std::max<std::size_t>(1, attempt.devices.size())));
    const LeaseTime lease = lease_time(attempt);
    // Nothing is shared in no time, and its end must not be seen before its beginning.
    if (lease.end <= lease.begin) continue;
    for (const std::string& device : attempt.devices) {
      by_device[device].push_back({lease.begin, true, i});
      by_device[device].push_back({lease.end, false, i});
    }
  }
  for (auto& [device, boundaries] : by_device) share_device(boundaries, shares);
  return shares;
}

}  // namespace tune::store
