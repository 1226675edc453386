#include "tuner/live/live_study.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/live/study_place.h"
#include "tuner/os/held_locks.h"

namespace tune::live {

std::vector<report::Deployment> known_deployments(const std::filesystem::path& store) {
  try {
    return report::read_deployments(store);
  } catch (const Error&) {
    return {};
  }
}

std::string how_to_go_on(const store::StudyRow& study, const std::string& name) {
  const bool asked = study.facts.driver == "ask-tell";
  return "no tune works on it; " + (asked ? "`tune ask-tell` with its spec and store continues it"
                                          : "`tune resume " + name + "` continues it");
}

report::StudyRows read_live_study(const std::filesystem::path& store, const std::string& study) {
  const std::filesystem::path lock = study_lock(study_folder(store, study));
  // The lock first: its holder writes how the study ended before letting go. The other way round, an end in
  // between would look like a death. A second look finds who took it up in between.
  const bool was_locked = is_locked(lock);
  report::StudyRows rows = report::read_study(open_study_for_reading(store, study));
  rows.deployments = known_deployments(store);
  if (rows.study.state != store::StudyState::kRunning) {
    report::share_with_neighbours(rows, store);
    return rows;
  }
  if (was_locked || is_locked(lock)) {
    const WallTime now = SystemClock().wall_now();
    report::bill_running(rows.attempts, now);
    if (!rows.running_times.empty())
      rows.running_times.back().end = std::max(rows.running_times.back().end, now);
    rows.study.elapsed_seconds +=
        std::max(0.0, std::chrono::duration<double>(now - rows.study.updated).count());
  } else {
    rows.study.state = store::StudyState::kInterrupted;
    rows.study.finish_reason = how_to_go_on(rows.study, study);
  }
  report::share_with_neighbours(rows, store);
  return rows;
}

}  // namespace tune::live
