#include "strategies/median_rule.h"

#include <cmath>
#include <limits>

#include "conformance/sample_spaces.h"
#include "support/catch.h"

using namespace tune;
using namespace tune::test;
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
  MedianRule rule(spec, objective);
  return rule.judge(trial_with(99, TrialState::kRunning, values), history);
}

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
