#include "tuner/compare/comparison_ledger.h"

#include "support/catch.h"
#include "unit/lease_rows.h"

namespace tune::compare {
namespace {

using tests::lease;
using tests::trial_in;

TEST_CASE("the device time of a search pays for as many whole trainings as it holds") {
  const std::vector<store::TrialRow> trials = {
      trial_in(1, TrialState::kCompleted), trial_in(2, TrialState::kStopped),
      trial_in(3, TrialState::kFailed), trial_in(4, TrialState::kCompleted),
      trial_in(5, TrialState::kStopped)};
  // Whole ones take 10 and 14 seconds; all of it took 43.
  const std::vector<store::AttemptRow> attempts = {lease(1, 1, 10), lease(2, 1, 5), lease(3, 1, 1),
                                                   lease(4, 1, 6),  lease(4, 2, 8), lease(5, 1, 13)};
  CHECK(whole_trainings(trials, attempts) == 4);
  CHECK(whole_trainings({trials[0]}, {attempts[0]}) == 1);
  CHECK(whole_trainings({trials[1], trials[2]}, {attempts[1], attempts[2]}) == 2);
  // Time that was lost with a process that died does not make it more than the search had.
  CHECK(whole_trainings({trials[0]}, {attempts[0], lease(1, 2, 30)}) == 1);
}

}  // namespace
}  // namespace tune::compare
