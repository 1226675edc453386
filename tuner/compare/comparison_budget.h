#pragma once
// How a comparison's budget is shared out over its studies as they run.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "store/comparison_facts.h"
#include "tuner/compare/comparison.h"

namespace tune::compare {

// What a study is expected to take, in device seconds.
struct StudyNeed {
  std::string study;
  double fixed = 0;             // of the runs without which its row says nothing: one for each seed
  double elastic = 0;           // of what may be shorter: a search, a random search, seeds beyond those
  std::optional<double> trial;  // of one of its trials
};

// The needs of all studies, in the order in which they run, from forecast_approach(). A part that has no
// forecast is taken to need what its approach's search does, or nothing.
std::vector<StudyNeed> study_needs(const Comparison& comparison, const store::CostForecasts& forecast);

// Fills in what studies need that programs of one's own train, which nobody has measured beforehand: their
// runs at what one takes (`seconds_of_run`, by approach), and where nobody knows that (0) at an even part of
// what else the `left` device seconds hold for the study `index` and those behind it.
void add_unmeasured(const Comparison& comparison, const std::vector<double>& seconds_of_run,
                    std::size_t index, double left, std::vector<StudyNeed>& needs);

// What the study `index` may take in all, in device seconds. `left` is what the budget has beside everything
// that others have spent; `predicting` is kept back for the end.
//  - Where all that is still to come fits, a study may take whatever is not needed later.
//  - Else searches shrink first: runs for each seed have what they need, and the elastic parts share the rest
//    in proportion to what they were to take.
//  - Where not even those fit, they share what there is in proportion.
double budget_share(const std::vector<StudyNeed>& needs, std::size_t index, double left, double predicting);

}  // namespace tune::compare
