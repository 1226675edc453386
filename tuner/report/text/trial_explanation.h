#pragma once
// Why a trial was suggested, why it ended as it did, and whether its model was promoted: what was recorded
// about it as that happened. Pure functions of stored rows.
#include <string>
#include <vector>

#include "store/study_versions.h"
#include "tuner/report/text/trial_report.h"

namespace tune::report {

// `versions`: those that were made of the trial's study, of which only its own count.
std::string explanation_text(const TrialRows& rows, const std::vector<store::StudyVersion>& versions);
Json explanation_json(const TrialRows& rows, const std::vector<store::StudyVersion>& versions);

}  // namespace tune::report
