#include "tuner/report/numbers/leaderboard.h"

#include <limits>

#include "support/catch.h"
#include "tuner/report/numbers/replicated.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

using store::trial_row;

TEST_CASE("the leaderboard holds completed trials with finite values, the earlier of equals first",
          "[report]") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<store::TrialRow> trials = {
      ended(1, TrialState::kCompleted, {0.5}),        ended(2, TrialState::kStopped, {0.9}),
      ended(3, TrialState::kCompleted, {kNan}),       ended(4, TrialState::kCompleted, {0.7}),
      ended(5, TrialState::kCompleted, {0.7}),        ended(6, TrialState::kCompleted, {kInfinity}),
      ended(7, TrialState::kCompleted, {-kInfinity}), trial_row(8)};
  std::vector<int> numbers;
  for (const auto& trial : leaderboard(trials, {"m", Goal::kMaximize, Reduce::kBest}))
    numbers.push_back(trial.number);
  CHECK(numbers == std::vector<int>{4, 5, 1});
  numbers.clear();
  for (const auto& trial : leaderboard(trials, {"m", Goal::kMinimize, Reduce::kBest}))
    numbers.push_back(trial.number);
  CHECK(numbers == std::vector<int>{1, 4, 5});
  CHECK_FALSE(best_trial({trial_row(1)}, {"m", Goal::kMinimize, Reduce::kBest}).has_value());
}

TEST_CASE("a repeat of a trial has no rank and is never the best, with replicates or without", "[report]") {
  std::vector<store::TrialRow> trials = {ended(1, TrialState::kCompleted, {0.5}),
                                         ended(2, TrialState::kCompleted, {0.7})};
  trials[1].facts.rerun_of = 1;
  const Objective objective{"m", Goal::kMaximize, Reduce::kBest};
  CHECK(best_trial(trials, objective)->number == 1);
  CHECK(leaderboard(trials, objective).size() == 1);
  CHECK(count_searched(trials) == 1);
  trials.push_back(ended(3, TrialState::kCompleted, {0.4}));
  trials[2].facts.replicate_of = 1;
  CHECK(best_trial(trials, objective)->number == 1);
  CHECK(count_searched(trials) == 1);
}

}  // namespace
}  // namespace tune::report
