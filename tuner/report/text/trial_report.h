#pragma once
// One trial as people and programs read it. Pure functions of stored rows.
#include <optional>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/report/text/rerun.h"

namespace tune::report {

struct TrialRows {
  store::StudyRow study;
  store::TrialRow trial;
  std::vector<store::AttemptRow> attempts;         // of this trial
  std::vector<store::AttemptRow> others;           // of other trials: who shared a device with it
  std::vector<store::AttemptRow> neighbours = {};  // of other studies, likewise (billing::attempts_beside)
  std::vector<store::MetricRow> metrics;           // by name, step
  std::vector<store::EventRow> events;             // of this trial
  int rank = 0, ranked = 0;                        // place on the leaderboard; 0 without one
  std::optional<store::TrialRow> original = {};    // the trial that it repeats
  std::vector<store::MetricRow> original_metrics = {};
  std::vector<int> reruns = {};       // the trials that repeat it
  std::optional<bool> on_front = {};  // of a completed trial of two objectives
  std::string console_state = {};     // its state as the consoles name it; empty where that is not asked for
};

// nullopt when the study has no such trial.
std::optional<TrialRows> read_trial(const store::StudyStore& store, int number);

// What the study's other trials say of it: those that repeat it or that it repeats, and its place among them.
// To be called with its row and its study's there.
void place_among(const std::vector<store::TrialRow>& trials, const store::StudyStore& store, TrialRows& rows);

// Whether it came to the same as the trial that it repeats (`original`).
RerunComparison rerun_of(const TrialRows& rows);

// [{"name": "lr", "value": 0.1, "best": 0.01}]: what a trial and the best one do not have in common.
Json parameter_differences(const ParameterSet& own, const ParameterSet& best);

// Its state, place and reason, and whom it repeats.
std::string trial_head(const TrialRows& rows);
std::string trial_text(const TrialRows& rows, int width);
Json trial_details_json(const TrialRows& rows);

// "12:03:04 trial finished, trial 3, attempt 1: reason", of a stored event; times are UTC.
std::string event_line(const store::EventRow& event);

}  // namespace tune::report
