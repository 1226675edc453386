#pragma once
// A study of Optuna becomes one of ours, for others to learn from (`warm_start`).
#include <string>
#include <vector>

#include "store/optuna_file.h"
#include "store/study_store.h"

namespace tune::optuna {

struct ImportedTrial {
  store::TrialRow row;
  std::vector<MetricPoint> curve;  // of the objective
};

struct ImportedStudy {
  OrderedJson spec;                   // of a search whose trials another program runs
  std::vector<ImportedTrial> trials;  // numbered from 1; a note has Optuna's number
  std::vector<std::string> notices;   // sentences about what is not as it was
};

// Complete trials are completed ones, pruned ones stopped with the last value that they had reported, failed
// ones failed; those that run or wait are left out. Ranges that have changed from trial to trial become one
// that holds all of them. A parameter that some trials do not have is bound to the value of a categorical one
// where that alone explains it; where nothing does, the trials without it are left out. `file` is for
// messages. Throws Error(kBadSpec) for what no spec can say: three objectives, a name that is a range in one
// trial and a list of choices in another, no trial with a parameter.
ImportedStudy imported_study(const store::OptunaStudy& study, const std::string& name,
                             const std::string& file);

}  // namespace tune::optuna
