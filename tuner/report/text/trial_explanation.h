#pragma once
// Why a trial was suggested, why it ended as it did, and whether its model was promoted: what was recorded
// about it as that happened. Pure functions of stored rows.
#include <string>
#include <vector>

#include "store/model_registry.h"
#include "tuner/report/text/trial_report.h"

namespace tune::report {

// The versions of models that were made of the trial, and the promotions to them.
struct TrialModels {
  std::vector<store::ModelVersion> versions;
  std::vector<store::Promotion> promotions;
};

std::string explanation_text(const TrialRows& rows, const TrialModels& models);
Json explanation_json(const TrialRows& rows, const TrialModels& models);

}  // namespace tune::report
