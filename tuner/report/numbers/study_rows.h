#pragma once
// The rows that a study's reports are made of, and what they say as they are.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/space.h"
#include "tuner/report/numbers/cost.h"
#include "tuner/report/numbers/deployments.h"

namespace tune::report {

// The last value that each trial had of a metric.
struct LastValues {
  std::string metric;
  std::map<int, double> by_trial;
};

// All rows that a report is made of.
struct StudyRows {
  store::StudyRow study;
  std::vector<store::TrialRow> trials;
  std::vector<store::AttemptRow> attempts;
  std::map<int, MetricPoint> latest;  // the objective's last point of each running trial
  std::vector<store::RunningTime> running_times = {};
  std::map<std::pair<int, int>, double> validation_seconds = {};  // by (trial, attempt)
  std::vector<LastValues> others = {};                            // the spec's metrics beside the objective
  std::vector<store::AttemptRow> neighbours = {};  // of other studies of the store, on its devices
  bool is_stopping = false;                        // it runs, and its trials are being stopped
  std::vector<Deployment> deployments = {};        // of all models of the store
};
// All but `neighbours` and `deployments`, which are the store's.
StudyRows read_study(const store::StudyStore& store);
// Reads `neighbours` in the store's folder, where the study's trials may share GPUs; after bill_running().
void share_with_neighbours(StudyRows& rows, const std::filesystem::path& folder);
// What its attempts have cost.
CostReport costs_of(const StudyRows& rows);

// A spec is stored twice, as the text that was written and as the document that it says: whether the text is
// still the one that the document was made from.
bool is_text_of_study(const store::StudyRow& study);

// The values that every trial of the study has as they are: all that a study which searches nothing has.
ParameterSet fixed_values(const store::StudyRow& study);

// The space that the study searches; nullopt where this version cannot read the stored spec.
std::optional<SearchSpace> stored_space(const store::StudyRow& study);

// The metrics that the spec names, without the objectives, in its order.
std::vector<std::string> other_metrics(const store::StudyRow& study);

// What is left of a deleted trial is no stopped one.
struct TrialCounts {
  std::map<TrialState, int> by_state;
  int deleted = 0;
};
TrialCounts count_trials(const std::vector<store::TrialRow>& trials);

// The trials of the search beside limits.trials, which neither replicates nor repeats count for, and which
// trials that people enqueued may go beyond.
struct SearchedTrials {
  std::int64_t within = 0, beyond = 0;
  std::optional<std::int64_t> limit;
};
SearchedTrials searched_trials(const StudyRows& rows);

}  // namespace tune::report
