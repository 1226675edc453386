#pragma once
// The gate's judge: measures a version by tune-train, or reads what its trainer measured, and holds it to a
// requirement.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tuner/core/resources.h"
#include "tuner/engine/promotion/gate.h"

namespace tune::engine {

struct JudgeHooks {
  std::function<int()> signals;                    // how many a person has sent
  std::function<void(const std::string&)> notice;  // a sentence of progress
  Resources resources = {};                        // what tune-train gets, as a trial does
  std::filesystem::path scores = {};  // a file of numbers that a person brings, in place of the requirement's
};

// For GateRules. It blocks while tune-train runs, on a device that is held as a trial holds it. Where the
// version is at fault the verdict says so; where it cannot be judged at all the function throws
// Error(kEnvironment) (no tune-train, it failed on the data), Error(kBadSpec) (a number that nothing gives),
// Error(kInterrupted).
JudgeVersion version_judge(JudgeHooks hooks);

// By how much one is better than the other, with an interval that chance leaves.
struct PairedDifference {
  double difference = 0;     // more is better
  double low = 0, high = 0;  // of the interval
};
// From the numbers of both on the same resamples of a held-out set, which has `groups` that are drawn: the
// difference of the whole +- Student's t times the deviation of the resampled differences (as in
// comparison_statistics.h, of two models as they are). Resamples without a number (below 0) are left out.
PairedDifference resampled_difference(double ours, double theirs, const std::vector<double>& our_resamples,
                                      const std::vector<double>& their_resamples, std::size_t groups,
                                      double level);
// From the numbers of both on the same examples, two or more: the mean of the differences +- Student's t
// times its standard error.
PairedDifference mean_difference(const std::vector<double>& ours, const std::vector<double>& theirs,
                                 double level);

}  // namespace tune::engine
