#pragma once
// A study as people and programs read it: where it stands, what it found, what it cost. Pure functions of
// stored rows.
#include <map>
#include <optional>
#include <string>

#include "tuner/report/numbers/study_rows.h"

namespace tune::report {

std::string counts_text(const TrialCounts& counts);  // "6 completed, 1 stopped, 1 failed"
Json counts_json(const TrialCounts& counts);         // every state, {"queued": 0, "running": 2, ...}

// "finished (trial limit)".
std::string standing(const store::StudyRow& study);

// Why the validation values may be too good: the built-in trainer cuts its data image by image, unless its
// split says otherwise or the validation images are a set of their own, which is said to be so only where the
// spec tells. "" where it does not.
std::string leak_warning(const store::StudyRow& study);

// `best STUDY`: "Best: trial 3 with ..." and a line for each hyperparameter, or for each fixed value where
// nothing is searched; a sentence when there is none. Of two objectives the table of their front, and the
// trial that the spec prefers.
std::string best_text(const StudyRows& rows, int width = 0);

// The end of a run: best hyperparameters, leaderboard, time and cost of each trial and in total, the promoted
// model.
std::string run_summary(const StudyRows& rows, const std::optional<store::PromotionDecision>& promotion,
                        int width);
Json run_summary_json(const StudyRows& rows, const std::optional<store::PromotionDecision>& promotion);

// `status STUDY`: where it stands.
std::string status_text(const StudyRows& rows, int width);
Json status_json(const StudyRows& rows);

}  // namespace tune::report
