#pragma once
// Where a study or a trial stands in the words of the cloud consoles, which people know from there. Our own
// states say more (store::StudyState, TrialState) and stand beside them.
#include <string>

#include "tuner/report/numbers/study_rows.h"

namespace tune::report {

// "training", "stopping", "stopped" (it may go on), "training failed" (every trial failed, or a fault has
// paused it), and of a study that has ended well "completed", or once a version of a model was promoted from
// it "not deployed", or what its endpoint says: "deploying", "deployed", "stopping".
std::string console_state(const StudyRows& rows);

// The same of a trial of the study; "queued" while it waits for its turn, for the first time or again.
std::string console_state(const StudyRows& rows, const store::TrialRow& trial);

}  // namespace tune::report
