#include "strategies/median_rule.h"

#include <cmath>
#include <limits>

#include "conformance/sample_spaces.h"
#include "support/catch.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TrialView trial_with(int number, TrialState state, const std::vector<double>& values) {
  TrialView trial;
  trial.number = number;
  trial.state = state;
  for (std::size_t i = 0; i < values.size(); ++i)
    trial.curve.push_back({static_cast<std::int64_t>(i) + 1, values[i]});
  return trial;
}

void add(History& history, TrialState state, const std::vector<double>& values) {
  history.trials.push_back(
      std::make_shared<const TrialView>(trial_with(history.next_number(), state, values)));
}

// Running averages up to step 2: 0.2, 0.4, 0.6; the later steps must not count.
History three_curves() {
  History history{maximize(), {}};
  add(history, TrialState::kCompleted, {0.1, 0.3, 0.9});
  add(history, TrialState::kCompleted, {0.3, 0.5, 0.9});
  add(history, TrialState::kStopped, {0.5, 0.7});
  return history;
}

EarlyStopping median_of(int min_trials, std::int64_t start_step = 1) {
  EarlyStopping spec;
  spec.rule = "median";
  spec.min_trials = min_trials;
  spec.start_step = start_step;
  return spec;
}

Verdict judge(const History& history, const std::vector<double>& values,
              const EarlyStopping& spec = median_of(3), const Objective& objective = maximize()) {
  MedianRule rule(MedianRule::Measure::kRunningAverage, spec, objective);
  return rule.judge(trial_with(99, TrialState::kRunning, values), history);
}

Objective reduced(Goal goal, Reduce reduce) { return {"loss", goal, reduce}; }

// The other rule, which judges by what a trial has reached.
Verdict judge_reached(const History& history, const std::vector<double>& values, const Objective& objective,
                      const EarlyStopping& spec = median_of(3)) {
  MedianRule rule(MedianRule::Measure::kReached, spec, objective);
  return rule.judge(trial_with(99, TrialState::kRunning, values), history);
}

// Losses that fall from 100, as those of the first steps do, to about `end`.
std::vector<double> falling_to(double end) { return {100, 40, 10, end, end * 1.02, end}; }

}  // namespace

TEST_CASE("A value below the median of the running averages stops, one above or equal goes on") {
  CHECK(judge(three_curves(), {0.9, 0.39}).action == Action::kStop);
  CHECK(judge(three_curves(), {0.0, 0.41}).action == Action::kGoOn);
  History exact{maximize(), {}};
  for (int i = 0; i < 3; ++i) add(exact, TrialState::kCompleted, {0.5, 0.5});
  CHECK(judge(exact, {0.1, 0.5}).action == Action::kGoOn);
}

TEST_CASE("Where less is better a value above the median stops") {
  CHECK(judge(three_curves(), {0.0, 0.41}, median_of(3), minimize()).action == Action::kStop);
  CHECK(judge(three_curves(), {0.9, 0.39}, median_of(3), minimize()).action == Action::kGoOn);
}

TEST_CASE("The reason is a sentence with the step, the value, the median and the number of trials") {
  CHECK(judge(three_curves(), {0.9, 0.25}).reason ==
        "At step 2 accuracy was 0.25, which is below the median 0.4 of the running averages of 3 earlier "
        "trials up to "
        "that step.");
}

TEST_CASE("In few words a verdict names the step, the value, the median and the number of trials") {
  CHECK(judge(three_curves(), {0.9, 0.25}).brief ==
        "at step 2: accuracy 0.25, median of the averages of 3 trials 0.4");
  CHECK(judge_reached(three_curves(), {0.05, 0.1}, maximize()).brief ==
        "at step 2: accuracy 0.1, median of 3 trials 0.5");
}

TEST_CASE("An even number of averages has the mean of the middle two as median") {
  History history = three_curves();
  add(history, TrialState::kCompleted, {0.6, 0.6});  // averages 0.2 0.4 0.6 0.6: median 0.5
  CHECK(judge(history, {0, 0.49}).action == Action::kStop);
  CHECK(judge(history, {0, 0.51}).action == Action::kGoOn);
}

TEST_CASE("Only trials that have reached the step count, and min_trials of them are needed") {
  History history = three_curves();
  CHECK(judge(history, {0, 0, 0}).action == Action::kGoOn);
  CHECK(judge(history, {0, 0, 0}, median_of(2)).action == Action::kStop);
  CHECK(judge(history, {0, 0}, median_of(4)).action == Action::kGoOn);
  add(history, TrialState::kCompleted, {0.1});
  CHECK(judge(history, {0, 0}, median_of(4)).action == Action::kGoOn);
}

TEST_CASE("Running, paused, queued and failed trials do not count") {
  History history{maximize(), {}};
  for (const TrialState state :
       {TrialState::kRunning, TrialState::kPaused, TrialState::kQueued, TrialState::kFailed})
    add(history, state, {1, 1});
  CHECK(judge(history, {0, 0}, median_of(1)).action == Action::kGoOn);
}

TEST_CASE("No trial is judged before start_step") {
  CHECK(judge(three_curves(), {0.0, 0.0}, median_of(3, 3)).action == Action::kGoOn);
  CHECK(judge(three_curves(), {0.0, 0.0}, median_of(3, 2)).action == Action::kStop);
}

TEST_CASE("Points that are not finite are left out of averages, and a trial without any other is left out") {
  History history{maximize(), {}};
  add(history, TrialState::kCompleted, {kNaN, 0.4});
  add(history, TrialState::kCompleted, {0.4, INFINITY});
  add(history, TrialState::kCompleted, {kNaN, -INFINITY});
  CHECK(judge(history, {0, 0.39}, median_of(2)).action == Action::kStop);
  CHECK(judge(history, {0, 0.41}, median_of(2)).action == Action::kGoOn);
  CHECK(judge(history, {0, 0}, median_of(3)).action == Action::kGoOn);
}

TEST_CASE("A newest value that is not finite counts as worse, even infinity where more is better") {
  for (const double value : {kNaN, static_cast<double>(INFINITY), static_cast<double>(-INFINITY)}) {
    const Verdict verdict = judge(three_curves(), {0.9, value});
    CHECK(verdict.action == Action::kStop);
    CHECK(verdict.reason.find("not a finite number") != std::string::npos);
  }
}

TEST_CASE("Averages of values near the largest double do not overflow") {
  History history{minimize(), {}};
  for (int i = 0; i < 3; ++i) add(history, TrialState::kCompleted, {1.7e308, 1.7e308, -1.7e308});
  CHECK(judge(history, {0, 0, 0}, median_of(3), minimize()).action == Action::kGoOn);
}

TEST_CASE("One noisy epoch does not end the best trial, whatever counts of it") {
  for (const Reduce reduce : {Reduce::kBest, Reduce::kMax, Reduce::kLast}) {
    const Objective objective = reduced(Goal::kMaximize, reduce);
    History history{objective, {}};
    for (const double x : {0.80, 0.81, 0.79}) add(history, TrialState::kCompleted, {x, x, x, x, x, x});
    for (const double noise : {0.2, kNaN, -std::numeric_limits<double>::infinity()}) {
      CHECK(judge_reached(history, {0.95, 0.95, 0.95, noise}, objective).action == Action::kGoOn);
      CHECK(judge_reached(history, {0.95, 0.95, noise, 0.95}, objective).action == Action::kGoOn);
    }
    // The named rule of the cloud service ends it.
    CHECK(judge(history, {0.95, 0.95, 0.95, 0.2}, median_of(3), objective).action == Action::kStop);
  }
}

TEST_CASE("A plateau at three times the others' loss is stopped, though their averages are high still") {
  for (const Reduce reduce : {Reduce::kBest, Reduce::kMin, Reduce::kLast}) {
    const Objective objective = reduced(Goal::kMinimize, reduce);
    History history{objective, {}};
    for (const double end : {1.0, 1.1, 0.9}) add(history, TrialState::kCompleted, falling_to(end));
    CHECK(judge_reached(history, {100, 3, 3}, objective).action == Action::kGoOn);
    CHECK(judge_reached(history, {100, 3, 3, 3}, objective).action == Action::kStop);
    CHECK(judge(history, {100, 3, 3, 3}, median_of(3), objective).action == Action::kGoOn);
  }
}

TEST_CASE("Where the last value counts, two bad steps in a row end a trial") {
  const Objective objective = reduced(Goal::kMaximize, Reduce::kLast);
  History history{objective, {}};
  for (const double x : {0.80, 0.81, 0.79}) add(history, TrialState::kCompleted, {x, x, x, x});
  CHECK(judge_reached(history, {0.95, 0.95, 0.2}, objective).action == Action::kGoOn);
  CHECK(judge_reached(history, {0.95, 0.95, 0.2, 0.3}, objective).reason ==
        "At step 4 loss of its last two steps was at best 0.3, which is below the median 0.8 of what 3 "
        "earlier trials "
        "had reached by that step.");
}

TEST_CASE("A trial that has diverged is stopped: at once, or after two steps without a number") {
  const Objective objective = reduced(Goal::kMinimize, Reduce::kBest);
  History history{objective, {}};
  for (int i = 0; i < 3; ++i) add(history, TrialState::kCompleted, falling_to(1));
  CHECK(judge_reached(history, {kNaN}, objective).action == Action::kStop);
  CHECK(judge_reached(history, {0.5, kNaN}, objective).action == Action::kGoOn);
  const Verdict verdict = judge_reached(history, {0.5, kNaN, kNaN}, objective);
  CHECK(verdict.action == Action::kStop);
  CHECK(verdict.reason.find("was nan, which is not a finite number; the median is 10 of what 3") !=
        std::string::npos);
}

TEST_CASE("What others reach after the step does not count, and equal to the median goes on") {
  const Objective objective = reduced(Goal::kMaximize, Reduce::kBest);
  History history{objective, {}};
  for (int i = 0; i < 3; ++i) add(history, TrialState::kCompleted, {0.1, 0.5, 0.3, 0.9});
  CHECK(judge_reached(history, {0.0, 0.49, 0.1}, objective).action == Action::kStop);
  CHECK(judge_reached(history, {0.5, 0.1, 0.1}, objective).action == Action::kGoOn);
  CHECK(judge_reached(history, {0.0, 0.49, 0.1}, objective).reason ==
        "At step 3 loss had reached 0.49, which is below the median 0.5 of what 3 earlier trials had reached "
        "by that "
        "step.");
  CHECK(judge_reached(history, {0.0, 0.49}, objective, median_of(4)).action == Action::kGoOn);
  CHECK(judge_reached(history, {0.0, 0.49}, objective, median_of(3, 3)).action == Action::kGoOn);
}
