#include "strategies/prediction_rule.h"

#include <cmath>

#include "conformance/sample_spaces.h"
#include "support/catch.h"
#include "tuner/core/rng.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

EarlyStopping prediction(double risk = 0.05) {
  EarlyStopping spec;
  spec.rule = "prediction";
  spec.max_step = 20;
  spec.risk = risk;
  return spec;
}

// Rises to `end` as saturating curves do, with noise.
TrialView rising(int number, double end, std::int64_t steps, Rng& rng, double noise) {
  TrialView trial;
  trial.number = number;
  trial.state = steps == 20 ? TrialState::kCompleted : TrialState::kRunning;
  for (std::int64_t step = 1; step <= steps; ++step)
    trial.curve.push_back(
        {step, end * (1 - std::exp(-0.2 * static_cast<double>(step))) + noise * rng.normal()});
  if (steps == 20) trial.values = {reduce_curve(trial.curve, maximize()).value()};
  return trial;
}

History ended(int trials, Rng& rng, double noise) {
  History history{maximize(), {}};
  for (int i = 0; i < trials; ++i)
    history.trials.push_back(std::make_shared<const TrialView>(
        rising(history.next_number(), 0.3 + 0.5 * rng.uniform(), 20, rng, noise)));
  return history;
}

}  // namespace

namespace {
GainPrediction predict_gain(const std::vector<Progress>& earlier, const std::vector<double>& gains,
                            const Progress& now) {
  return GainModel::fit(earlier, gains, {}).predict(now, {});
}
}  // namespace

TEST_CASE("A prediction of the gain is as wide as the gains are unforeseeable") {
  const std::vector<Progress> earlier{{0.1, 0.1}, {0.2, 0.2}, {0.3, 0.1}, {0.4, 0.2}, {0.5, 0.15}};
  const GainPrediction exact = predict_gain(earlier, {0.2, 0.4, 0.6, 0.8, 1.0}, {0.6, 0.15});
  const GainPrediction loose = predict_gain(earlier, {0.9, 0.1, 0.7, 0.2, 0.8}, {0.6, 0.15});
  CHECK(exact.mean > 0.9);
  CHECK(exact.spread < loose.spread);
  CHECK(exact.probability_below(exact.mean) == Approx(0.5));
  CHECK(exact.probability_below(10) > 0.99);
}

TEST_CASE("What the hyperparameters say of the gain is learned, and what they do not say is not made up") {
  Eigen::MatrixXd places(30, 1);
  std::vector<Progress> earlier;
  std::vector<double> by_place, by_chance;
  Rng rng(2, 1);
  for (Eigen::Index i = 0; i < places.rows(); ++i) {
    places(i, 0) = rng.uniform();
    earlier.push_back({rng.normal(), 0});
    by_place.push_back(std::sin(5 * places(i, 0)) + 0.05 * rng.normal());
    by_chance.push_back(rng.normal());
  }
  const Progress now{0, 0};
  const auto at = [&](const std::vector<double>& gains, double x) {
    return GainModel::fit(earlier, gains, places).predict(now, Eigen::VectorXd::Constant(1, x));
  };
  CHECK(at(by_place, 0.3).mean == Approx(std::sin(1.5)).margin(0.15));
  CHECK(at(by_place, 0.9).mean == Approx(std::sin(4.5)).margin(0.15));
  CHECK(at(by_place, 0.3).spread < 0.3);
  CHECK(at(by_chance, 0.3).mean == Approx(at(by_chance, 0.9).mean).margin(0.5));
}

TEST_CASE("Gains that are all the same are foreseen") {
  const GainPrediction gain =
      predict_gain({{0.1, 0}, {0.1, 0}, {0.1, 0}, {0.1, 0}}, {0.2, 0.2, 0.2, 0.2}, {0.1, 0});
  CHECK(gain.mean == Approx(0.2));
  CHECK(std::isfinite(gain.spread));
}

TEST_CASE("A trial that cannot win is stopped, one that leads goes on") {
  Rng rng(3, 1);
  const History history = ended(12, rng, 0.005);
  PredictionRule rule(prediction(), maximize());
  const Verdict verdict = rule.judge(rising(99, 0.2, 8, rng, 0.005), history);
  CHECK(verdict.action == Action::kStop);
  CHECK(verdict.reason.find("chance") != std::string::npos);
  CHECK(rule.judge(rising(99, 0.85, 8, rng, 0.005), history).action == Action::kGoOn);
}

TEST_CASE("A trial in its last tenth ends by itself, unless it has diverged") {
  Rng rng(3, 1);
  const History history = ended(12, rng, 0.005);
  PredictionRule rule(prediction(), maximize());
  CHECK(rule.judge(rising(99, 0.2, 18, rng, 0.005), history).action == Action::kStop);
  TrialView last = rising(99, 0.2, 19, rng, 0.005);
  CHECK(rule.judge(last, history).action == Action::kGoOn);
  last.curve[17].value = last.curve[18].value = std::nan("");
  CHECK(rule.judge(last, history).action == Action::kStop);
}

TEST_CASE("Nothing is predicted before six trials have completed, nor in the first tenth") {
  Rng rng(3, 1);
  PredictionRule rule(prediction(), maximize());
  CHECK(rule.judge(rising(99, 0.01, 8, rng, 0), ended(5, rng, 0.005)).action == Action::kGoOn);
  CHECK(rule.judge(rising(99, 0.01, 1, rng, 0), ended(12, rng, 0.005)).action == Action::kGoOn);
}

TEST_CASE("Of the trials that are stopped no more than the stated part would have become the best") {
  Rng rng(11, 1);
  int winners = 0, stopped = 0, losers = 0, losers_stopped = 0;
  for (int round = 0; round < 300; ++round) {
    const History history = ended(8, rng, 0.02);
    const TrialView whole = rising(99, 0.3 + 0.5 * rng.uniform(), 20, rng, 0.02);
    const bool wins = is_better(whole.values[0], history.best()->values[0], Goal::kMaximize);
    PredictionRule rule(prediction(), maximize());
    bool is_stopped = false;
    for (std::size_t steps = 1; steps < whole.curve.size() && !is_stopped; ++steps) {
      TrialView part = whole;
      part.state = TrialState::kRunning;
      part.values.clear();
      part.curve.resize(steps);
      is_stopped = rule.judge(part, history).action != Action::kGoOn;
    }
    (wins ? winners : losers) += 1;
    (wins ? stopped : losers_stopped) += is_stopped;
  }
  REQUIRE(winners > 20);
  CHECK(stopped <= 0.05 * (stopped + losers_stopped));
  CHECK(losers_stopped > losers * 0.5);
}
