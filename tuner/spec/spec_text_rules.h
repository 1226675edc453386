#pragma once
// What names and other texts of the spec must look like. Part of the table in spec_keys.
#include "tuner/spec/spec_keys.h"

namespace tune {

extern const TextRule kStudyName;
extern const TextRule kModelName;
extern const TextRule kAliasName;
extern const TextRule kParameterName;
extern const TextRule kMetricName;
extern const TextRule kVariableName;
extern const TextRule kNonEmpty;
extern const TextRule kDurationText;
// For comparisons alone.
extern const TextRule kApproachName;
extern const TextRule kDayText;

}  // namespace tune
