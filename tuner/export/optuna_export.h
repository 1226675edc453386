#pragma once
// A study as Optuna has studies.
#include <vector>

#include "store/optuna_file.h"
#include "store/study_store.h"
#include "tuner/core/space.h"

namespace tune::exporting {

// Every trial at its place: completed ones as COMPLETE, stopped and paused ones as PRUNED with what they had
// reached, failed and deleted ones as FAIL, those that run as RUNNING, and those that wait as WAITING with
// their hyperparameters, so that Optuna begins with them. Our own words for them, and what Optuna has no
// place for, are user attributes. The curve of the only objective is the intermediate values, at the steps
// that tune counts from 1.
//  - A reverse_log scale is a linear one there; a float with a log scale and a step has no step; an integer
//    with both has a linear scale.
//  - A choice that is a list or an object is its JSON as a text.
//  - A number outside the space, of a study whose space was amended, widens its own trial's range; a choice
//    that is none any more is a user attribute.
store::OptunaStudy optuna_study(const store::StudyStore& study, const SearchSpace& space);

}  // namespace tune::exporting
