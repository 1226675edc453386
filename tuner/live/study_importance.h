#pragma once
// The importance of a study's hyperparameters, by the mathematics of strategies/.
#include <optional>

#include "strategies/importance.h"
#include "tuner/core/space.h"
#include "tuner/report/study/study_document.h"

namespace tune::live {

// The importance by the trials that have completed so far, in the space of the stored spec.
strategies::Importance study_importance(const std::optional<SearchSpace>& space, const History& history);
// The same by the second objective; nullopt where there is one alone.
std::optional<strategies::Importance> second_importance(const std::optional<SearchSpace>& space,
                                                        const History& history);
report::ImportanceRows importance_rows(const strategies::Importance& importance);

}  // namespace tune::live
