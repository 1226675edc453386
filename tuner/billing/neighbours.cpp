#include "tuner/billing/neighbours.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "store/store_listing.h"
#include "tuner/billing/device_shares.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"

namespace tune::billing {
namespace {

namespace fs = std::filesystem;

// A loop writes every five seconds that it lives; one that is late has slow disks.
constexpr std::chrono::seconds kSeenAlive{15};

// The devices of attempts, and the time from the first beginning to the last end.
struct Occupied {
  std::set<std::string> devices;
  LeaseTime time;
};

Occupied occupied_by(const std::vector<store::AttemptRow>& attempts) {
  Occupied all;
  for (const store::AttemptRow& attempt : attempts) {
    if (attempt.devices.empty()) continue;
    const LeaseTime lease = lease_time(attempt);
    if (all.devices.empty()) all.time = lease;
    all.time = {std::min(all.time.begin, lease.begin), std::max(all.time.end, lease.end)};
    all.devices.insert(attempt.devices.begin(), attempt.devices.end());
  }
  return all;
}

bool overlaps(const store::AttemptRow& attempt, const Occupied& own) {
  const LeaseTime lease = lease_time(attempt);
  return lease.begin < own.time.end && lease.end > own.time.begin &&
         std::any_of(attempt.devices.begin(), attempt.devices.end(),
                     [&](const std::string& device) { return own.devices.contains(device); });
}

void add_from(const fs::path& database, const Occupied& own, WallTime now,
              std::vector<store::AttemptRow>& beside) {
  const store::StudyStore store(database, store::OpenMode::kRead);
  const store::StudyRow study = store.study();
  if (!may_share_gpus(study)) return;
  const bool alive = study.state == store::StudyState::kRunning && now - study.updated < kSeenAlive;
  const WallTime seen = alive ? now : study.updated;
  const WallTime since(std::chrono::duration_cast<Milliseconds>(own.time.begin));
  for (store::AttemptRow& attempt : store.attempts_on_devices(since)) {
    if (!attempt.ended)
      attempt.lease_seconds = std::max(
          0.0, std::chrono::duration<double>(seen - attempt.started.value_or(attempt.created)).count());
    if (overlaps(attempt, own)) beside.push_back(std::move(attempt));
  }
}

}  // namespace

bool may_share_gpus(const store::StudyRow& study) {
  const Json::json_pointer place("/resources/trials_per_gpu");
  if (!study.spec.is_object() || !study.spec.contains(place)) return false;
  const Json& trials = study.spec.at(place);
  return trials == "auto" || (trials.is_number() && trials > 1);
}

std::vector<store::AttemptRow> attempts_beside(const fs::path& folder, const std::string& study,
                                               const std::vector<store::AttemptRow>& own, WallTime now) {
  std::vector<store::AttemptRow> beside;
  const Occupied all = occupied_by(own);
  if (all.devices.empty()) return beside;
  for (const std::string& name : store::study_names(folder)) {
    if (name == study) continue;
    try {
      add_from(study_database(folder / name), all, now, beside);
    } catch (const Error&) {
      continue;
    }
  }
  return beside;
}

}  // namespace tune::billing
