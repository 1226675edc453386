#pragma once
// What attempts took of devices, where several shared one: the bill.
#include <chrono>
#include <vector>

#include "store/comparison_facts.h"
#include "store/study_store.h"

namespace tune::billing {

// When an attempt held its lease: as long as lease_seconds says, from its start, moved back where that would
// end after its recorded end. So leases of one slot never overlap.
struct LeaseTime {
  std::chrono::microseconds begin{0}, end{0};  // since 1970
};
LeaseTime lease_time(const store::AttemptRow& attempt);

// What each attempt took, in device seconds, in the order given: at any moment 1/n of a device on which n of
// the given attempts, those in `others` among them, hold a lease, summed over its devices. So the shares of a
// device add up to the time that it was leased, and an attempt that had its n devices to itself took n times
// its lease. Without devices (the CPU) each attempt has a slot of its own, and takes its lease. An attempt
// that has not ended counts with the lease_seconds it is given with (0 in the store). `others` are those of
// other studies on the same devices (neighbours.h).
std::vector<double> device_shares(const std::vector<store::AttemptRow>& attempts,
                                  const std::vector<store::AttemptRow>& others = {});

// What an attempt takes when it shares with nobody.
double whole_share(const store::AttemptRow& attempt);

// The device seconds, for each attempt in `attempts` and within `window`, that attempts in either list had of
// its devices in its place.
std::vector<double> shared_away(const std::vector<store::AttemptRow>& attempts,
                                const std::vector<store::AttemptRow>& others, const LeaseTime& window);

// What probes have held of devices, in device seconds: a study's, and a comparison's. What was billed
// elsewhere counts nothing.
double probing_seconds(const store::Probes& probes);
double probing_seconds(const store::ComparisonProbes& probes);

}  // namespace tune::billing
