#pragma once
// Whether a trial that repeats another one came to the same.
#include <optional>
#include <string>
#include <vector>

#include "store/study_store.h"

namespace tune::report {

struct RerunComparison {
  bool is_same = false;  // bit for bit: state, values and every point of the objectives; both have ended
  std::string text;      // "the same result bit for bit: 40 points of loss, 0.12"
  Json json;
};

// `first` has been repeated by `again`, whose metrics are all those that it has. Metrics that are said for
// the bill are times, and are left out, and so is the time that trials take where it is the second objective.
RerunComparison compare_rerun(const store::TrialRow& first,
                              const std::vector<store::MetricRow>& first_metrics,
                              const store::TrialRow& again,
                              const std::vector<store::MetricRow>& again_metrics, const Objective& objective,
                              const std::optional<Objective>& second = std::nullopt);

}  // namespace tune::report
