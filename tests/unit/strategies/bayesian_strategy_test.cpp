#include "strategies/bayesian_strategy.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <set>

#include "conformance/sample_spaces.h"
#include "strategies/random_strategy.h"
#include "support/catch.h"
#include "support/sanitized.h"
#include "unit/strategies/suggestions.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

constexpr std::uint64_t kSearches = tests::kSanitized ? 2 : 5;

using Function = std::function<double(const ParameterSet&)>;

// Dixon & Szego 1978; minimum 0.397887.
double branin(const ParameterSet& point) {
  constexpr double kPi = std::numbers::pi;
  const double x = -5 + 15 * at(point, "x0"), y = 15 * at(point, "x1");
  const double a = y - 5.1 / (4 * kPi * kPi) * x * x + 5 / kPi * x - 6;
  return a * a + 10 * (1 - 1 / (8 * kPi)) * std::cos(x) + 10;
}

// Minimum -3.86278.
double hartmann3(const ParameterSet& point) {
  constexpr double kA[4][3] = {{3, 10, 30}, {.1, 10, 35}, {3, 10, 30}, {.1, 10, 35}};
  constexpr double kP[4][3] = {
      {.3689, .1170, .2673}, {.4699, .4387, .7470}, {.1091, .8732, .5547}, {.0381, .5743, .8828}};
  constexpr double kAlpha[4] = {1, 1.2, 3, 3.2};
  const double x[3] = {at(point, "x0"), at(point, "x1"), at(point, "x2")};
  double sum = 0;
  for (int i = 0; i < 4; ++i) {
    double exponent = 0;
    for (int j = 0; j < 3; ++j) exponent += kA[i][j] * (x[j] - kP[i][j]) * (x[j] - kP[i][j]);
    sum -= kAlpha[i] * std::exp(-exponent);
  }
  return sum;
}

double best_after(Strategy& strategy, const Function& function, const Objective& objective, int trials,
                  std::uint64_t seed) {
  const double sign = objective.goal == Goal::kMinimize ? 1 : -1;
  History history{objective, {}};
  double best = INFINITY;
  for (int i = 0; i < trials; ++i) {
    const Suggestion suggestion = ask(strategy, history, seed);
    const double value = function(suggestion.parameters);
    best = std::min(best, value);
    add_trial(history, suggestion.parameters, TrialState::kCompleted, {sign * value});
  }
  return best;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

TEST_CASE("On Branin and Hartmann-3 thirty-five trials come far closer to the optimum than random ones") {
  struct Problem {
    Function function;
    int dimensions;
    double optimum, wanted;
  };
  const Problem problems[] = {{branin, 2, 0.397887, 0.02}, {hartmann3, 3, -3.86278, 0.005}};
  for (const Problem& problem : problems) {
    std::vector<double> bayesian, random;
    const SearchSpace space = cube(problem.dimensions);
    for (std::uint64_t seed = 1; seed <= kSearches; ++seed) {
      const Objective objective = seed % 2 == 0 ? maximize() : minimize();
      BayesianStrategy searching(space, objective, seed);
      RandomStrategy guessing(space);
      bayesian.push_back(best_after(searching, problem.function, objective, 35, seed) - problem.optimum);
      random.push_back(best_after(guessing, problem.function, objective, 35, seed) - problem.optimum);
    }
    CHECK(median(bayesian) < problem.wanted);
    CHECK(median(bayesian) < median(random) / 20);
  }
}

TEST_CASE("Integers, categories and conditions are searched better than at random") {
  const SearchSpace space({number("lr", 1e-5, 1, Scale::kLog), whole("layers", 1, 12),
                           choice("opt", {"sgd", "adam", "lion"}),
                           when(number("momentum", 0, 1), "opt", {"sgd"})});
  const Function loss = [](const ParameterSet& point) {
    const double lr = std::log10(at(point, "lr")), layers = at(point, "layers");
    const std::string opt = point.at("opt").get<std::string>();
    const double branch = opt == "sgd"    ? 2 * std::pow(at(point, "momentum") - 0.9, 2)
                          : opt == "adam" ? 0.3
                                          : 0.6;
    return std::pow(lr + 2.5, 2) + 0.05 * std::pow(layers - 7, 2) + branch;
  };
  std::vector<double> bayesian, random;
  for (std::uint64_t seed = 1; seed <= kSearches; ++seed) {
    BayesianStrategy searching(space, minimize(), seed);
    RandomStrategy guessing(space);
    bayesian.push_back(best_after(searching, loss, minimize(), 35, seed));
    random.push_back(best_after(guessing, loss, minimize(), 35, seed));
  }
  CHECK(median(bayesian) < 0.05);
  CHECK(median(bayesian) < median(random) / 5);
}

TEST_CASE("A border behind which trials fail is found, though the objective gets better towards it") {
  const SearchSpace space = cube(2);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    BayesianStrategy strategy(space, maximize(), seed);
    RandomStrategy guessing(space);
    const auto far_behind = [&](Strategy& searching, double& best) {
      History history{maximize(), {}};
      int behind = 0;
      for (int i = 0; i < 25; ++i) {
        const ParameterSet point = ask(searching, history, seed).parameters;
        const double x = at(point, "x0");
        if (x > 0.75) ++behind;
        const bool fails = x > 0.7;
        add_trial(history, point, fails ? TrialState::kFailed : TrialState::kCompleted,
                  fails ? std::vector<double>{} : std::vector<double>{x + at(point, "x1")});
      }
      best = history.best()->values[0];
      return behind;
    };
    double best = 0, best_guess = 0;
    const int behind = far_behind(strategy, best);
    far_behind(guessing, best_guess);
    CHECK(best > 1.67);
    CHECK(best > best_guess);
    CHECK(behind <= 12);
  }
}

TEST_CASE("Crashes by chance do not keep the search from the optimum") {
  std::vector<double> regrets;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    BayesianStrategy strategy(cube(3), minimize(), seed);
    History history{minimize(), {}};
    Rng luck(seed);
    for (int i = 0; i < 40; ++i) {
      const ParameterSet point = ask(strategy, history, seed).parameters;
      const bool crashes = luck.below(5) == 0;
      add_trial(history, point, crashes ? TrialState::kFailed : TrialState::kCompleted,
                crashes ? std::vector<double>{} : std::vector<double>{hartmann3(point)});
    }
    regrets.push_back(history.best()->values[0] + 3.86278);
  }
  CHECK(median(regrets) < 0.01);
}

TEST_CASE("Eight pending trials get eight different points") {
  const SearchSpace space = cube(2);
  BayesianStrategy strategy(space, minimize(), 3);
  History history = completed_history(space, minimize(), 15, 3);
  for (int i = 0; i < 8; ++i) add_trial(history, ask(strategy, history, 3).parameters, TrialState::kRunning);
  for (std::size_t i = 15; i < history.trials.size(); ++i) {
    for (std::size_t j = 15; j < i; ++j) {
      const auto& a = history.trials[i]->parameters;
      const auto& b = history.trials[j]->parameters;
      CHECK(std::abs(at(a, "x0") - at(b, "x0")) + std::abs(at(a, "x1") - at(b, "x1")) > 1e-3);
    }
  }
}

TEST_CASE("Discrete points are not repeated before all have been tried, and a repeat says so") {
  const SearchSpace space({whole("n", 1, 6), choice("c", {"a", "b"}), when(whole("m", 0, 2), "c", {"a"})});
  BayesianStrategy strategy(space, minimize(), 3);
  History history{minimize(), {}};
  std::set<std::string> seen;
  for (std::size_t i = 0; i < space.cardinality(); ++i) {
    const Suggestion suggestion = ask(strategy, history, 3);
    CHECK(seen.insert(Json(suggestion.parameters).dump()).second);
    add_trial(history, suggestion.parameters, TrialState::kCompleted, {at(suggestion.parameters, "n")});
  }
  CHECK(seen.size() == 24);
  CHECK(ask(strategy, history, 3).note.find("repeat") != std::string::npos);
}

TEST_CASE("The first trials are the centre and Sobol points, until enough results are in") {
  const SearchSpace space = cube(2);
  BayesianStrategy strategy(space, minimize(), 3);
  History history{minimize(), {}};
  const Suggestion first = ask(strategy, history, 3);
  CHECK(first.note.find("centre of the space: 0 of 3 results") == 0);
  CHECK(first.brief == "centre of the space");
  CHECK(at(first.parameters, "x0") == 0.5);
  history = completed_history(space, minimize(), 2, 3);
  const Suggestion third = ask(strategy, history, 3);
  CHECK(third.note.find("Sobol point for trial 3: 2 of 3 results") == 0);
  CHECK(third.brief == "Sobol point");
  history = completed_history(space, minimize(), 3, 3);
  CHECK(ask(strategy, history, 3).note.find("Gaussian process") == 0);
}

TEST_CASE("The note tells what the model predicts in the metric's own units and sign") {
  const SearchSpace space = cube(1);
  History history{maximize(), {}};
  for (int i = 0; i <= 10; ++i)
    add_trial(history, {{"x0", i / 10.0}}, TrialState::kCompleted, {100 - std::pow(i / 10.0 - 0.35, 2)});
  BayesianStrategy strategy(space, maximize(), 1);
  const Suggestion suggestion = ask(strategy, history, 1);
  const std::string& note = suggestion.note;
  INFO(note);
  CHECK(note.find("predicts accuracy 100 (") != std::string::npos);
  CHECK(suggestion.brief.find("predicted 100, ") == 0);
  CHECK(note.find("from 11 results") != std::string::npos);
}

TEST_CASE("Stopped trials teach the model by their values") {
  const SearchSpace space = cube(1);
  BayesianStrategy strategy(space, minimize(), 1);
  History history{minimize(), {}};
  for (int i = 0; i <= 10; ++i)
    add_trial(history, {{"x0", i / 10.0}}, TrialState::kStopped, {std::pow(i / 10.0 - 0.8, 2)});
  CHECK(at(ask(strategy, history, 1).parameters, "x0") == Approx(0.8).margin(0.15));
}
