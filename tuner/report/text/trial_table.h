#pragma once
// A study's trials as tables and as JSON.
#include <optional>
#include <string>

#include "tuner/report/numbers/study_front.h"
#include "tuner/report/numbers/study_rows.h"
#include "tuner/report/text/table.h"

namespace tune::report {

// kTerminal: what fits a person's screen, parameters in one column, rounded numbers. kPage has a column for
// each other metric too. kEverything: every column and exact numbers, for CSV.
enum class TrialColumns { kTerminal, kPage, kEverything };
Table trial_table(const StudyRows& rows, TrialColumns columns);
Table leaderboard_table(const StudyRows& rows, std::size_t most);
// The front of a study with two objectives, the best by the first one first.
Table front_table(const StudyRows& rows, const StudyFront& front);
Json front_json(const StudyFront& front);       // [{"trial":7,"values":[0.93,12],"parameters":{...}},...]
Json objectives_json(const StudyFront& front);  // [{"metric":"accuracy","goal":"maximize"},...]
Json trials_json(const StudyRows& rows);
Json trial_json(const store::TrialRow& trial, const CostReport& costs);
// By name; null where the trial has no value of it.
Json other_metrics_json(const StudyRows& rows, int trial);

// `best STUDY --json` and the ask-tell answer: trial, value, parameters; {"trial": null} without a best.
Json best_json(const std::optional<store::TrialRow>& best);

}  // namespace tune::report
