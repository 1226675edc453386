#pragma once
// What happens to a study that another process runs, for the displays of this one.
#include <map>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/clock.h"
#include "tuner/engine/loop/status.h"

namespace tune::cli {

// Reads what the study's store has come to hold since the last look, and tells a display of it as the loop
// tells its own. Owned by a command, on its thread; it only reads.
class StudyFollower {
 public:
  // Begins behind the event of that id, when the study had these attempts.
  StudyFollower(const store::StudyStore& store, std::int64_t last_event,
                const std::vector<store::AttemptRow>& attempts);

  // Tells of the new events, and of each running trial's newest value of the objective.
  void look(engine::Status& display);

 private:
  void tell_of_events(engine::Status& display);
  void tell_of_values(engine::Status& display);
  void complete(engine::StatusEvent& event) const;

  const store::StudyStore& store_;
  const std::string metric_;
  std::int64_t last_event_;
  std::map<int, int> running_;           // attempts by trial
  std::map<int, std::int64_t> told_to_;  // the last step of each running trial
};

}  // namespace tune::cli
