#include "strategies/curve_forecast.h"

#include <cmath>
#include <limits>

#include "conformance/sample_spaces.h"
#include "strategies/encoded_history.h"
#include "support/catch.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

constexpr std::int64_t kSteps = 8;

EarlyStopping eight_steps() {
  EarlyStopping stopping;
  stopping.max_step = kSteps;
  return stopping;
}

void add_curve(History& history, TrialState state, std::vector<double> values) {
  add_trial(history, {{"x0", 0.01 * static_cast<double>(history.trials.size())}}, state, {values.back()});
  auto trial = std::make_shared<TrialView>(*history.trials.back());
  for (std::size_t i = 0; i < values.size(); ++i)
    trial->curve.push_back({static_cast<std::int64_t>(i + 1), values[i]});
  if (state == TrialState::kRunning) trial->values.clear();
  history.trials.back() = std::move(trial);
}

// Flat at `early` for four steps, then at `end`.
std::vector<double> two_levels(double early, double end, bool is_whole = true) {
  std::vector<double> values(kSteps / 2, early);
  if (is_whole) values.resize(kSteps, end);
  return values;
}

Objective last_of(Objective objective) {
  objective.reduce = Reduce::kLast;
  return objective;
}

// Completed trials whose ends are standard normal, and whose values before are those with an error.
History noisy_curves(int trials, double error, std::uint64_t seed) {
  History history{last_of(minimize()), {}};
  Rng rng(seed, 0);
  for (int i = 0; i < trials; ++i) {
    const double end = rng.normal();
    add_curve(history, TrialState::kCompleted, two_levels(end + error * rng.normal(), end));
  }
  return history;
}

std::optional<CurveEvidence> evidence_of_last(const History& history) {
  return CurveForecast(history, eight_steps()).evidence(*history.trials.back());
}

}  // namespace

TEST_CASE("A curve is evidence of its end with the error that other curves had") {
  History history = noisy_curves(90, 0.4, 1);
  add_curve(history, TrialState::kPaused, two_levels(-1.5, 0, false));
  const auto seen = evidence_of_last(history);
  REQUIRE(seen);
  // What all ends have in common is divided out: the value itself, not drawn to the middle.
  CHECK(seen->loss == Approx(-1.5).margin(0.3));
  CHECK(seen->deviation == Approx(0.4).epsilon(0.4));
}

TEST_CASE("What trials still gain is part of the evidence, whichever way is better") {
  for (const Goal goal : {Goal::kMinimize, Goal::kMaximize}) {
    History history{goal == Goal::kMinimize ? minimize() : maximize(), {}};
    for (int i = 0; i < 20; ++i) {
      const double early = 0.05 * i, end = early + (goal == Goal::kMinimize ? -1 : 1);
      add_curve(history, TrialState::kCompleted, two_levels(early, end));
    }
    add_curve(history, TrialState::kStopped, two_levels(0.5, 0, false));
    const auto seen = evidence_of_last(history);
    REQUIRE(seen);
    CHECK(seen->loss == Approx(goal == Goal::kMinimize ? -0.5 : -1.5).margin(0.1));
    CHECK(seen->deviation < 0.2);
  }
}

TEST_CASE("Curves that say nothing of the ends are no evidence, and those that mislead are turned round") {
  History history{last_of(minimize()), {}}, turned = history;
  Rng rng(3, 0);
  for (int i = 0; i < 90; ++i) {
    const double early = rng.normal(), end = rng.normal();
    add_curve(history, TrialState::kCompleted, two_levels(early, end));
    add_curve(turned, TrialState::kCompleted, two_levels(early, -early + 0.1 * end));
  }
  add_curve(history, TrialState::kPaused, two_levels(-1.5, 0, false));
  add_curve(turned, TrialState::kPaused, two_levels(-1.5, 0, false));
  CHECK_FALSE(evidence_of_last(history));
  REQUIRE(evidence_of_last(turned));
  CHECK(evidence_of_last(turned)->loss == Approx(1.5).margin(0.3));
}

TEST_CASE("A trial that has come farther is known better") {
  History history{last_of(minimize()), {}};
  Rng rng(4, 0);
  const auto walk = [&rng](std::size_t steps) {
    std::vector<double> values{rng.normal()};
    while (values.size() < steps) values.push_back(values.back() + 0.3 * rng.normal());
    return values;
  };
  for (int i = 0; i < 40; ++i) add_curve(history, TrialState::kCompleted, walk(kSteps));
  double before = std::numeric_limits<double>::infinity();
  for (const std::size_t steps : {1, 2, 4, 7}) {
    History with = history;
    add_curve(with, TrialState::kRunning, walk(steps));
    const auto seen = evidence_of_last(with);
    REQUIRE(seen);
    CHECK(seen->deviation < before);
    before = seen->deviation;
  }
}

TEST_CASE("Until trials have ended, values are expected to stay, with part of their spread as the error") {
  History history{minimize(), {}};
  for (int i = 0; i < 10; ++i) add_curve(history, TrialState::kPaused, {0.1 * i});
  const auto seen = evidence_of_last(history);
  REQUIRE(seen);
  CHECK(seen->loss > 0.7);
  CHECK(seen->deviation > 0.05);
}

TEST_CASE("Curves without a finite value tell nothing, and those of failed trials disturb nobody") {
  History history = noisy_curves(20, 0.1, 5);
  History with_failed = history;
  add_curve(with_failed, TrialState::kFailed, two_levels(1e300, -1e300));
  add_curve(history, TrialState::kRunning, two_levels(0.5, 0, false));
  add_curve(with_failed, TrialState::kRunning, two_levels(0.5, 0, false));
  CHECK(evidence_of_last(history)->loss == evidence_of_last(with_failed)->loss);
  add_curve(history, TrialState::kRunning, {std::numeric_limits<double>::quiet_NaN()});
  CHECK_FALSE(evidence_of_last(history));
}

TEST_CASE("Step 0 is a step, from which an end is foreseen like from the first") {
  History history = noisy_curves(20, 0.4, 3);
  for (const TrialState state : {TrialState::kRunning, TrialState::kStopped, TrialState::kPaused}) {
    add_curve(history, state, {0.5});
    auto trial = std::make_shared<TrialView>(*history.trials.back());
    trial->curve[0].step = 0;
    history.trials.back() = std::move(trial);
    const auto seen = evidence_of_last(history);
    if (seen) CHECK(std::isfinite(seen->loss));
  }
}

TEST_CASE("A trial that was stopped since it diverged is a failure to the model, whatever it had reached") {
  const SearchSpace space = cube(1);
  const Encoding encoding(space);
  HistoryEncoder encoder(space, encoding, eight_steps());
  History history = noisy_curves(5, 0.1, 4);
  history.objective.reduce = Reduce::kBest;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  add_curve(history, TrialState::kStopped, {-5, kNan, kNan});
  auto trial = std::make_shared<TrialView>(*history.trials.back());
  trial->values = {-5};
  history.trials.back() = std::move(trial);
  const EncodedHistory encoded = encoder.encode(history, Goal::kMinimize);
  CHECK(encoded.observations.size() == 5);
  CHECK(encoded.failed == 1);
  CHECK(encoded.lost.rows() == 1);
  CHECK(encoded.outcomes.losses.back() == EncodedHistory::kFailed);
}

TEST_CASE(
    "The value of a trial that was cut short without a curve has an error, and that of a completed one has "
    "none") {
  const SearchSpace space = cube(1);
  const Encoding encoding(space);
  HistoryEncoder encoder(space, encoding);
  History history{minimize(), {}};
  for (const double value : {1.0, 2.0, 3.0})
    add_trial(history, {{"x0", value / 10}}, TrialState::kCompleted, {value});
  add_trial(history, {{"x0", 0.9}}, TrialState::kStopped, {2.5});
  const EncodedHistory encoded = encoder.encode(history, Goal::kMinimize);
  REQUIRE(encoded.observations.deviations.size() == 4);
  CHECK(encoded.observations.deviations[0] == 0);
  CHECK(encoded.observations.deviations[3] > 0.1);
}

TEST_CASE("A trial that was stopped is known to the search even where curves say nothing of the ends") {
  History history{last_of(minimize()), {}};
  Rng rng(3, 0);
  for (int i = 0; i < 90; ++i)
    add_curve(history, TrialState::kCompleted, two_levels(rng.normal(), rng.normal()));
  add_curve(history, TrialState::kStopped, two_levels(-1.5, 0, false));
  REQUIRE_FALSE(evidence_of_last(history));
  const SearchSpace space = cube(1);
  const Encoding encoding(space);
  const EncodedHistory encoded =
      HistoryEncoder(space, encoding, eight_steps()).encode(history, Goal::kMinimize);
  CHECK(encoded.observations.size() == 91);
  CHECK(encoded.observations.losses.back() == -1.5);
  CHECK(encoded.observations.deviations.back() == Approx(1).epsilon(0.3));  // as wide as all values
}

TEST_CASE("A running trial is pending and an observation, a stopped one an observation of its end") {
  const SearchSpace space = cube(1);
  const Encoding encoding(space);
  HistoryEncoder encoder(space, encoding, eight_steps());
  History history = noisy_curves(30, 0.1, 6);
  add_curve(history, TrialState::kStopped, two_levels(0.3, 0, false));
  add_curve(history, TrialState::kRunning, two_levels(0.4, 0, false));
  add_trial(history, {{"x0", 0.9}}, TrialState::kPaused, {});
  add_trial(history, {{"x0", 0.95}}, TrialState::kRunning, {});
  const EncodedHistory encoded = encoder.encode(history, Goal::kMinimize);
  CHECK(encoded.observations.size() == 32);
  CHECK(encoded.observations.deviations.at(0) == 0);
  CHECK(encoded.observations.deviations.at(30) > 0);
  CHECK(encoded.observations.losses.at(31) == Approx(0.4).margin(0.2));
  CHECK(encoded.pending.rows() == 3);
}

TEST_CASE("A trial is foreseen by its own pace all the way, though most others have another one") {
  // All rise alike, in proportion to their ends, so that the last of the others' gains are far larger than
  // those of a trial that is behind.
  const auto rising = [](double end, int steps) {
    std::vector<double> values;
    for (int step = 1; step <= steps; ++step) values.push_back(end * (1 - 1.0 / (step + 1)) * 9 / 8);
    return values;
  };
  History history{maximize(), {}};
  for (const double end : {0.25, 0.4, 0.5}) add_curve(history, TrialState::kCompleted, rising(end, kSteps));
  for (int i = 0; i < 30; ++i) add_curve(history, TrialState::kCompleted, rising(0.7 + 0.008 * i, kSteps));
  add_curve(history, TrialState::kStopped, rising(0.35, 2));
  const auto seen = evidence_of_last(history);
  REQUIRE(seen);
  CHECK(-seen->loss < 0.5);
  CHECK(std::abs(-seen->loss - 0.35) < 2 * seen->deviation);
}

TEST_CASE("What a trial that was cut short has shown of the second objective tells of its end, too") {
  const SearchSpace space = cube(1);
  const Encoding encoding(space);
  HistoryEncoder encoder(space, encoding, eight_steps());
  // Falls by 0.7 on the way from step 2 to the end, or stands from its only value on.
  const auto with_second = [](int trial, int steps, bool is_measured_once) {
    std::vector<MetricPoint> curve;
    for (int step = 1; step <= (is_measured_once ? 1 : steps); ++step)
      curve.push_back({step, 0.1 * trial + (step <= 2 ? 1.0 : 1 - 0.7 * (step - 2) / 6)});
    return curve;
  };
  for (const bool is_measured_once : {false, true}) {
    CAPTURE(is_measured_once);
    History history = noisy_curves(20, 0.1, 7);
    history.second = last_of(minimize());
    history.second->metric = "size";
    add_curve(history, TrialState::kStopped, {0.3, 0.3});
    for (std::size_t i = 0; i < history.trials.size(); ++i) {
      auto trial = std::make_shared<TrialView>(*history.trials[i]);
      trial->second_curve =
          with_second(static_cast<int>(i % 10), static_cast<int>(trial->curve.size()), is_measured_once);
      trial->values.push_back(trial->second_curve.back().value);
      history.trials[i] = std::move(trial);
    }
    const ObservationTable seconds = encoder.encode(history, Goal::kMinimize).second_observations;
    REQUIRE(seconds.size() == 21);
    CHECK(seconds.losses.back() == Approx(is_measured_once ? 1.0 : 0.3).margin(0.1));
    // What nobody measures again is known as it is.
    CHECK(seconds.deviations.empty() == is_measured_once);
    if (!is_measured_once) CHECK(seconds.deviations.back() > 0);
  }
}
