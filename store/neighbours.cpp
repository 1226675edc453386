#include "store/neighbours.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "store/device_shares.h"
#include "tuner/core/error.h"

namespace tune::store {
namespace {

namespace fs = std::filesystem;

// A loop writes every five seconds that it lives; one that is late has slow disks.
constexpr std::chrono::seconds kSeenAlive{15};

// The devices of attempts, and the time from the first beginning to the last end.
struct Occupied {
  std::set<std::string> devices;
  LeaseTime time;
};

Occupied occupied_by(const std::vector<AttemptRow>& attempts) {
  Occupied all;
  for (const AttemptRow& attempt : attempts) {
    if (attempt.devices.empty()) continue;
    const LeaseTime lease = lease_time(attempt);
    if (all.devices.empty()) all.time = lease;
    all.time = {std::min(all.time.begin, lease.begin), std::max(all.time.end, lease.end)};
    all.devices.insert(attempt.devices.begin(), attempt.devices.end());
  }
  return all;
}

bool overlaps(const AttemptRow& attempt, const Occupied& own) {
  const LeaseTime lease = lease_time(attempt);
  return lease.begin < own.time.end && lease.end > own.time.begin &&
         std::any_of(attempt.devices.begin(), attempt.devices.end(),
                     [&](const std::string& device) { return own.devices.contains(device); });
}

void add_from(const fs::path& database, const Occupied& own, WallTime now, std::vector<AttemptRow>& beside) {
  const StudyStore store(database, OpenMode::kRead);
  const StudyRow study = store.study();
  if (!may_share_gpus(study)) return;
  const bool alive = study.state == "running" && now - study.updated < kSeenAlive;
  const WallTime seen = alive ? now : study.updated;
  const WallTime since(std::chrono::duration_cast<Milliseconds>(own.time.begin));
  for (AttemptRow& attempt : store.attempts_on_devices(since)) {
    if (!attempt.ended)
      attempt.lease_seconds = std::max(
          0.0, std::chrono::duration<double>(seen - attempt.started.value_or(attempt.created)).count());
    if (overlaps(attempt, own)) beside.push_back(std::move(attempt));
  }
}

}  // namespace

std::vector<std::string> study_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name != "models" && name != "comparisons" && fs::exists(entry->path() / "study.db", ignored))
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void require_name_of_folder(const StudyStore& store) {
  const std::string name = store.study().name;
  const std::string folder = fs::absolute(store.file()).lexically_normal().parent_path().filename().string();
  if (name != folder)
    throw DamagedFile(store.file() + ": its study is named \"" + name + "\", and its folder \"" + folder +
                      "\" (a folder that was renamed is to have its name back)");
}

bool may_share_gpus(const StudyRow& study) {
  const Json::json_pointer place("/resources/trials_per_gpu");
  return study.spec.is_object() && study.spec.contains(place) && study.spec.at(place).is_number() &&
         study.spec.at(place) > 1;
}

std::vector<AttemptRow> attempts_beside(const fs::path& folder, const std::string& study,
                                        const std::vector<AttemptRow>& own, WallTime now) {
  std::vector<AttemptRow> beside;
  const Occupied all = occupied_by(own);
  if (all.devices.empty()) return beside;
  for (const std::string& name : study_names(folder)) {
    if (name == study) continue;
    try {
      add_from(folder / name / "study.db", all, now, beside);
    } catch (const Error&) {
      continue;
    }
  }
  return beside;
}

}  // namespace tune::store
