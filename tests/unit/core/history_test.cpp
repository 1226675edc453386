#include "tuner/core/history.h"

#include <cmath>
#include <limits>

#include "support/catch.h"

using namespace tune;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::shared_ptr<const TrialView> trial(int number, TrialState state, std::vector<double> values) {
  auto view = std::make_shared<TrialView>();
  view->number = number, view->state = state, view->values = std::move(values);
  return view;
}

}  // namespace

TEST_CASE("NaN is never better than anything, and everything is better than NaN", "[history]") {
  for (const Goal goal : {Goal::kMinimize, Goal::kMaximize}) {
    REQUIRE_FALSE(is_better(kNan, 1, goal));
    REQUIRE_FALSE(is_better(kNan, kNan, goal));
    REQUIRE(is_better(1, kNan, goal));
    REQUIRE_FALSE(is_better(1, 1, goal));
  }
  REQUIRE(is_better(1, 2, Goal::kMinimize));
  REQUIRE(is_better(2, 1, Goal::kMaximize));
}

TEST_CASE("every trial state has a name that reads back", "[history]") {
  for (const auto state : {TrialState::kQueued, TrialState::kRunning, TrialState::kPaused,
                           TrialState::kCompleted, TrialState::kStopped, TrialState::kFailed})
    REQUIRE(trial_state_from_string(to_string(state)) == state);
  REQUIRE_THROWS_AS(trial_state_from_string("done"), std::invalid_argument);
  REQUIRE(is_finished(TrialState::kFailed));
  REQUIRE_FALSE(is_finished(TrialState::kPaused));
}

TEST_CASE("a curve is reduced to its last, best, smallest or largest finite value", "[history]") {
  const std::vector<MetricPoint> curve{{1, 0.5}, {2, -kInfinity}, {3, 0.2}, {4, 0.4}};
  const auto reduced = [&](Goal goal, Reduce reduce) { return reduce_curve(curve, {"m", goal, reduce}); };
  REQUIRE(reduced(Goal::kMinimize, Reduce::kLast) == 0.4);
  REQUIRE(reduced(Goal::kMinimize, Reduce::kBest) == 0.2);
  REQUIRE(reduced(Goal::kMaximize, Reduce::kBest) == 0.5);
  REQUIRE(reduced(Goal::kMaximize, Reduce::kMin) == 0.2);
  REQUIRE(reduced(Goal::kMinimize, Reduce::kMax) == 0.5);
}

TEST_CASE("a curve that ends with NaN has a best value, but no last one", "[history]") {
  const std::vector<MetricPoint> diverged{{1, 0.5}, {2, 0.2}, {3, kNan}};
  CHECK(reduce_curve(diverged, {"m", Goal::kMinimize, Reduce::kBest}) == 0.2);
  CHECK_FALSE(reduce_curve(diverged, {"m", Goal::kMinimize, Reduce::kLast}).has_value());
}

TEST_CASE("a curve without a finite value has no result", "[history]") {
  REQUIRE_FALSE(reduce_curve({}, {}).has_value());
  REQUIRE_FALSE(reduce_curve({{1, kNan}, {2, kInfinity}}, {}).has_value());
}

TEST_CASE("the best trial is the earliest best among the completed ones that repeat none", "[history]") {
  History history;
  REQUIRE(history.best() == nullptr);
  REQUIRE(history.next_number() == 1);
  history.objective = {"accuracy", Goal::kMaximize, Reduce::kBest};
  history.trials = {trial(1, TrialState::kCompleted, {0.5}), trial(2, TrialState::kStopped, {0.99}),
                    trial(3, TrialState::kFailed, {}),       trial(4, TrialState::kCompleted, {0.8}),
                    trial(5, TrialState::kCompleted, {0.8}), trial(6, TrialState::kCompleted, {kNan}),
                    trial(7, TrialState::kRunning, {})};
  const auto repeat = std::make_shared<TrialView>(*trial(8, TrialState::kCompleted, {0.9}));
  repeat->role = SearchRole::kRepeat;
  history.trials.push_back(repeat);
  history.repeats = 1;
  REQUIRE(history.best()->number == 4);
  REQUIRE(history.next_number() == 8);
  history.objective.goal = Goal::kMinimize;
  REQUIRE(history.best()->number == 1);
}
