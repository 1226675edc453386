#pragma once
// A study as people and programs read it: leaderboard, trials, summary. Pure functions of stored rows.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/report/numbers/cost.h"
#include "tuner/report/page/table.h"

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
};
StudyRows read_study(const store::StudyStore& store);  // all but `neighbours`
// Reads `neighbours` in the store's folder, where the study's trials may share GPUs; after bill_running().
void share_with_neighbours(StudyRows& rows, const std::filesystem::path& folder);
// What its attempts have cost.
CostReport costs_of(const StudyRows& rows);

// The values that every trial of the study has as they are: all that a study which searches nothing has.
ParameterSet fixed_values(const store::StudyRow& study);

// The space that the study searches; nullopt where this version cannot read the stored spec.
std::optional<SearchSpace> stored_space(const store::StudyRow& study);

// Why the validation values may be too good: the built-in trainer cuts its data image by image, unless its
// split says otherwise or the validation images are a set of their own, which is said to be so only where the
// spec tells. "" where it does not.
std::string leak_warning(const store::StudyRow& study);

// Completed trials with a finite value, best first, the earlier of equals first.
std::vector<store::TrialRow> leaderboard(const std::vector<store::TrialRow>& trials,
                                         const Objective& objective);
std::optional<store::TrialRow> best_trial(const std::vector<store::TrialRow>& trials,
                                          const Objective& objective);
std::map<TrialState, int> count_states(const std::vector<store::TrialRow>& trials);
std::string counts_text(const std::map<TrialState, int>& counts);  // "6 completed, 1 stopped, 1 failed"

// The metrics that the spec names, without the objective, in its order.
std::vector<std::string> other_metrics(const store::StudyRow& study);

// kTerminal: what fits a person's screen, parameters in one column, rounded numbers. kPage has a column for
// each other metric too. kEverything: every column and exact numbers, for CSV.
enum class TrialColumns { kTerminal, kPage, kEverything };
Table trial_table(const StudyRows& rows, TrialColumns columns);
Table leaderboard_table(const StudyRows& rows, std::size_t most);
Json trials_json(const StudyRows& rows);
Json trial_json(const store::TrialRow& trial, const CostReport& costs);
// By name; null where the trial has no value of it.
Json other_metrics_json(const StudyRows& rows, int trial);

// `best STUDY --json` and the ask-tell answer: trial, value, parameters; {"trial": null} without a best.
Json best_json(const std::optional<store::TrialRow>& best);

// `best STUDY`: "Best: trial 3 with ..." and a line for each hyperparameter, or for each fixed value where
// nothing is searched; a sentence when there is none.
std::string best_text(const StudyRows& rows);

// The end of a run: best hyperparameters, leaderboard, time and cost of each trial and in total, the promoted
// model.
std::string run_summary(const StudyRows& rows, const std::optional<store::PromotionDecision>& promotion,
                        int width);
Json run_summary_json(const StudyRows& rows, const std::optional<store::PromotionDecision>& promotion);

// "finished (trial limit)".
std::string standing(const store::StudyRow& study);

// `status STUDY`: where it stands.
std::string status_text(const StudyRows& rows, int width);
Json status_json(const StudyRows& rows);

// "12:03:04 trial finished, trial 3, attempt 1: reason", of a stored event; times are UTC.
std::string event_line(const store::EventRow& event);

}  // namespace tune::report
