#pragma once
// How long a study that runs may still take.
#include <optional>

#include "tuner/report/numbers/study_rows.h"

namespace tune::live {

// From rows as they are now: what is left of the running trials and of those to come, each as long as the
// median of those that have ended, over the slots that share them; and no longer than the limit on time.
// nullopt while there is nothing to judge by.
std::optional<double> remaining_seconds(const report::StudyRows& rows);

}  // namespace tune::live
