#pragma once
// What replicates say, as people and programs read it.
#include <string>

#include "tuner/report/numbers/study_rows.h"
#include "tuner/report/text/table.h"

namespace tune::report {

// How the best value holds over seeds, two indented lines; "" for a trial that was not repeated.
std::string replicate_lines(const StudyRows& rows, int trial);
// The same of every trial that was repeated, the best first; no rows where none was.
Table replicate_table(const StudyRows& rows);
// One of them; null for a trial that was not repeated.
Json replicates_json(const StudyRows& rows, int trial);
// All of them, the best first.
Json replicates_json(const StudyRows& rows);
// "replicate of trial 3"; "" of one that is none.
std::string replicate_text(const store::TrialRow& trial);
// "9 replicates and 1 repeat": what is no trial of the search; "" without any.
std::string replicate_count_text(const std::vector<store::TrialRow>& trials);

}  // namespace tune::report
