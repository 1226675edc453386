#include "strategies/tpe_strategy.h"

#include <cmath>

#include "conformance/sample_spaces.h"
#include "strategies/random_strategy.h"
#include "support/catch.h"
#include "unit/strategies/suggestions.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

// Results on a grid of a unit interval, best at `best`.
History valley(double best, int trials = 41) {
  History history{minimize(), {}};
  for (int i = 0; i < trials; ++i) {
    const double x = i / static_cast<double>(trials - 1);
    add_trial(history, {{"x0", x}}, TrialState::kCompleted, {(x - best) * (x - best)});
  }
  return history;
}

double mean_answer(const History& history, double (*of)(const ParameterSet&)) {
  double sum = 0;
  constexpr int kSeeds = 40;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    TpeStrategy strategy(cube(1), minimize(), seed);
    sum += of(ask(strategy, history, seed).parameters);
  }
  return sum / kSeeds;
}

}  // namespace

TEST_CASE("Draws of the Parzen estimator gather where results are good") {
  const auto distance = [](const ParameterSet& p) { return std::abs(at(p, "x0") - 0.7); };
  CHECK(mean_answer(valley(0.7), distance) < 0.08);
}

TEST_CASE("Pending and failed trials push the Parzen estimator away from their points") {
  for (const TrialState state : {TrialState::kRunning, TrialState::kFailed}) {
    History crowded = valley(0.5);
    for (int i = 0; i < 20; ++i) add_trial(crowded, {{"x0", 0.50 + 0.005 * i}}, state);
    const auto x = [](const ParameterSet& p) { return at(p, "x0"); };
    CHECK(mean_answer(crowded, x) < mean_answer(valley(0.5), x) - 0.02);
  }
}

TEST_CASE("A stopped trial never counts among the good ones before a completed one") {
  History history = valley(0.3);
  for (int i = 0; i < 20; ++i) add_trial(history, {{"x0", 0.9}}, TrialState::kStopped, {-1.0});
  const auto x = [](const ParameterSet& p) { return at(p, "x0"); };
  CHECK(mean_answer(history, x) == Approx(0.3).margin(0.15));
}

TEST_CASE("A conditional parameter is estimated from the trials that had it") {
  const SearchSpace space({choice("opt", {"sgd", "adam"}), when(number("momentum", 0, 1), "opt", {"sgd"})});
  History history{minimize(), {}};
  for (int i = 0; i < 60; ++i) {
    const double momentum = i / 59.0;
    if (i % 2 == 0) {
      add_trial(history, {{"opt", "sgd"}, {"momentum", momentum}}, TrialState::kCompleted,
                {std::abs(momentum - 0.9)});
    } else {
      add_trial(history, {{"opt", "adam"}}, TrialState::kCompleted, {2.0});
    }
  }
  int sgd = 0;
  double distance = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    TpeStrategy strategy(space, minimize(), seed);
    const ParameterSet point = ask(strategy, history, seed).parameters;
    if (point.at("opt") != "sgd") continue;
    ++sgd;
    distance += std::abs(at(point, "momentum") - 0.9);
  }
  CHECK(sgd >= 20);
  CHECK(distance / sgd < 0.12);
}

TEST_CASE("In sixty trials the Parzen estimator comes nearer to the optimum than random points") {
  const SearchSpace space({number("lr", 1e-5, 1, Scale::kLog), whole("layers", 1, 12),
                           choice("opt", {"sgd", "adam", "lion"}), number("drop", 0, 1)});
  const auto loss = [](const ParameterSet& p) {
    return std::pow(std::log10(at(p, "lr")) + 2.5, 2) + 0.05 * std::pow(at(p, "layers") - 7, 2) +
           std::pow(at(p, "drop") - 0.2, 2) + (p.at("opt") == "adam" ? 0 : 0.5);
  };
  double sum = 0, random_sum = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    TpeStrategy searching(space, minimize(), seed);
    RandomStrategy guessing(space);
    for (Strategy* strategy : {static_cast<Strategy*>(&searching), static_cast<Strategy*>(&guessing)}) {
      History history{minimize(), {}};
      for (int i = 0; i < 60; ++i) {
        const ParameterSet point = ask(*strategy, history, seed).parameters;
        add_trial(history, point, TrialState::kCompleted, {loss(point)});
      }
      (strategy == &searching ? sum : random_sum) += history.best()->values[0];
    }
  }
  CHECK(sum < random_sum / 2);
}

TEST_CASE("Densities over numbers and categories integrate to one") {
  const SearchSpace space({number("a", 0, 1), choice("c", {"x", "y", "z"})});
  const Encoding encoding(space);
  const std::vector<ParzenAxis> axes{{0, {}, 0}, {1, encoding.cells(1), 0}};
  const std::vector<UnitPoint> points{
      {0.02, encoding.cells(1)[0]}, {0.5, encoding.cells(1)[2]}, {0.97, encoding.cells(1)[2]}};
  const std::vector<const UnitPoint*> centres{&points[0], &points[1], &points[2]};
  const std::vector<double> weights{1, 0.5, 1};
  const ParzenMixture mixture(axes, centres, weights);
  double sum = 0;
  constexpr int kCells = 2000;
  for (int i = 0; i < kCells; ++i) {
    for (const double category : encoding.cells(1))
      sum += std::exp(mixture.log_density({(i + 0.5) / kCells, category})) / kCells;
  }
  CHECK(sum == Approx(1).epsilon(1e-4));
  // Draws follow the density: the share below one half, and that of a category.
  double low = 0, low_draws = 0, third = 0, third_draws = 0;
  for (int i = 0; i < kCells; ++i) {
    for (const double category : encoding.cells(1)) {
      const double x = (i + 0.5) / kCells, mass = std::exp(mixture.log_density({x, category})) / kCells;
      low += x < 0.5 ? mass : 0;
      third += category == encoding.cells(1)[2] ? mass : 0;
    }
  }
  Rng rng(1);
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    UnitPoint unit(2);
    mixture.draw(unit, rng);
    low_draws += unit[0] < 0.5 ? 1.0 / kDraws : 0;
    third_draws += unit[1] == encoding.cells(1)[2] ? 1.0 / kDraws : 0;
  }
  CHECK(low_draws == Approx(low).margin(0.015));
  CHECK(third_draws == Approx(third).margin(0.015));
}
