#pragma once
// A study's bill: what its device time went into, each part apart.
#include "tuner/report/numbers/study_rows.h"

namespace tune::report {

struct StudyBill {
  Cost total;  // of the trials' leases: what a budget counts
  // By the state of the trial, which makes up the total. Open ones are queued or running.
  Cost completed, stopped, failed, paused, open, deleted;
  // Parts of the total: attempts that were run again, and validations. Both may count the same second.
  Cost retried, validating;
  // Not in the total.
  Cost probing, idle;
};

// From stored rows:
//  - validating: the share of each attempt's lease that its trainer spent in validations, as its recorded
//    points of kValidationSeconds (metric_names.h) say. An attempt whose trainer prints none has none.
//  - probing: the leases of the probe runs that the study made itself; a comparison's own are the
//    comparison's.
//  - idle: for each time that the study ran (from its start to the last thing recorded of it, or the end of
//    its last lease), and for each device that an attempt started in it had, the time in which no attempt of
//    the study held that device. On the CPU the devices are slots: as many as there were attempts at once.
//    Not idle are devices that the study never got to use, the time in which other studies had its devices,
//    the time between two runs of it, and what a cluster has beside its jobs: nobody pays for that.
StudyBill study_bill(const StudyRows& rows);

// The idle time, as said above, in device seconds; `others`: the attempts of other studies.
double idle_seconds(const std::vector<store::RunningTime>& running_times,
                    const std::vector<store::AttemptRow>& attempts,
                    const std::vector<store::AttemptRow>& others = {});

}  // namespace tune::report
