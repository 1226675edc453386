#include "strategies/explanation.h"

#include <cmath>

#include "conformance/sample_spaces.h"
#include "strategies/auto_strategy.h"
#include "strategies/bayesian_strategy.h"
#include "strategies/tpe_strategy.h"
#include "support/catch.h"
#include "unit/strategies/suggestions.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

// Only x0 matters: the value is its distance from 0.3.
History by_first(int trials, Goal goal, std::uint64_t seed = 3) {
  History history{goal == Goal::kMinimize ? minimize() : maximize(), {}};
  const SearchSpace space = cube(3);
  for (int i = 0; i < trials; ++i) {
    Rng rng(seed, static_cast<std::uint64_t>(i));
    const ParameterSet point = random_point(space, rng);
    const double value = (at(point, "x0") - 0.3) * (at(point, "x0") - 0.3);
    add_trial(history, point, TrialState::kCompleted, {goal == Goal::kMinimize ? value : -value});
  }
  return history;
}

double distance(const ParameterSet& a, const ParameterSet& b) {
  double sum = 0;
  for (const auto& [name, value] : a) sum += std::pow(value.get<double>() - b.at(name).get<double>(), 2);
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("a Gaussian process tells what it predicted, from what, and which parameters made the difference") {
  for (const Goal goal : {Goal::kMinimize, Goal::kMaximize}) {
    const History history = by_first(20, goal);
    BayesianStrategy strategy(cube(3), history.objective, 1);
    const Suggestion suggestion = ask(strategy, history, 1);
    const Json& told = suggestion.explanation;
    CAPTURE(told.dump(2));
    CHECK(told.at("strategy") == "bayesian");
    CHECK(told.at("model").at("results") == 20);
    CHECK(told.at("model").at("failed") == 0);
    CHECK(told.at("model").at("pending") == 0);
    // The parameter that matters has the shortest length scale.
    const Json& lengths = told.at("model").at("length_scales");
    CHECK(lengths.at("x0").get<double>() < lengths.at("x1").get<double>());
    CHECK(lengths.at("x0").get<double>() < lengths.at("x2").get<double>());
    // What the note says to people.
    const double value = told.at("predicted").at("value").get<double>();
    CHECK(told.at("predicted").at("low").get<double>() <= value);
    CHECK(value <= told.at("predicted").at("high").get<double>());
    char text[40];
    std::snprintf(text, sizeof text, "%.4g", value);
    CHECK(suggestion.note.find(std::string(" ") + text + " (") != std::string::npos);
    CHECK(told.at("expected_improvement").get<double>() == Approx(*suggestion.expected_gain).epsilon(1e-4));
    CHECK(told.at("success") == 1.0);
    CHECK(told.at("best").at("trial").get<int>() >= 1);
    CHECK(told.dump().size() < 2000);
  }
}

TEST_CASE("a contribution is the change of the prediction by that parameter alone") {
  // Two points apart in x0 alone: the model's mean at the choice less its mean with the other x0.
  const History history = by_first(25, Goal::kMinimize);
  BayesianStrategy strategy(cube(3), minimize(), 1);
  const Json told = ask(strategy, history, 1).explanation;
  double largest = 0, others = 0;
  for (const auto& [name, part] : told.at("contributions").items()) {
    const double change = std::abs(part.at("change").get<double>());
    (name == "x0" ? largest : others) = std::max(name == "x0" ? largest : others, change);
  }
  CHECK(largest + others > 0);
  // All of them in one: with one parameter that differs, the contribution is the whole difference.
  const SearchSpace line = cube(1);
  History narrow{minimize(), {}};
  for (int i = 0; i < 8; ++i)
    add_trial(narrow, {{"x0", 0.1 * i}}, TrialState::kCompleted, {std::pow(0.1 * i - 0.33, 2)});
  BayesianStrategy single(line, minimize(), 1);
  const Json alone = ask(single, narrow, 1).explanation;
  CAPTURE(alone.dump());
  const double difference =
      alone.at("predicted").at("value").get<double>() - alone.at("best").at("predicted").get<double>();
  CHECK(alone.at("contributions").at("x0").at("change").get<double>() == Approx(difference).margin(1e-4));
  CHECK(alone.at("best").at("trial") == 4);
}

TEST_CASE("the nearest trials are the nearest, with what came of them") {
  History history = by_first(12, Goal::kMinimize);
  add_trial(history, {{"x0", 0.3}, {"x1", 0.5}, {"x2", 0.5}}, TrialState::kFailed);
  const SearchSpace space = cube(3);
  const Encoding encoding(space);
  HistoryEncoder encoder(space, encoding);
  const ParameterSet point{{"x0", 0.31}, {"x1", 0.5}, {"x2", 0.5}};
  const Json nearest = nearest_trials(history, encoder, Goal::kMinimize,
                                      encoding.encode(space.to_unit(point)), Eigen::VectorXd::Ones(3));
  REQUIRE(nearest.size() == 3);
  CHECK(nearest[0].at("trial") == 13);
  CHECK(nearest[0].at("state") == "failed");
  CHECK_FALSE(nearest[0].contains("value"));
  CHECK(nearest[0].at("distance").get<double>() == Approx(0.01));
  for (std::size_t i = 1; i < 3; ++i) {
    const TrialView& trial = *history.trials[nearest[i].at("trial").get<std::size_t>() - 1];
    CHECK(nearest[i].at("distance").get<double>() == Approx(distance(point, trial.parameters)).epsilon(1e-4));
    CHECK(nearest[i].at("value").get<double>() == Approx(trial.values[0]).epsilon(1e-4));
    for (const auto& other : history.trials)
      if (other->number != trial.number && other->number != nearest[1].at("trial") && other->number != 13)
        CHECK(distance(point, other->parameters) >= nearest[1].at("distance").get<double>() * (1 - 1e-5));
  }
}

TEST_CASE("conditional parameters are explained where they are active in both points") {
  const SearchSpace space = mixed_space();
  const History history = completed_history(space, minimize(), 30, 5);
  BayesianStrategy strategy(space, minimize(), 1);
  const Suggestion suggestion = ask(strategy, history, 1);
  const Json& told = suggestion.explanation;
  CAPTURE(told.dump());
  const int best = told.at("best").at("trial").get<int>();
  for (const auto& [name, part] : told.at("contributions").items()) {
    CHECK(suggestion.parameters.contains(name));
    CHECK(history.trials[static_cast<std::size_t>(best) - 1]->parameters.contains(name));
  }
  CHECK(told.at("contributions").size() <= kMostExplained);
}

TEST_CASE("Parzen estimators tell the ratio of each parameter") {
  const History history = by_first(60, Goal::kMinimize);
  TpeStrategy strategy(cube(3), minimize(), 1);
  const Json told = ask(strategy, history, 1).explanation;
  CAPTURE(told.dump());
  CHECK(told.at("strategy") == "tpe");
  CHECK(told.at("model").at("results") == 60);
  CHECK(told.at("model").at("good") == 6);
  const Json& parts = told.at("contributions");
  REQUIRE(parts.size() == 3);
  // Good trials lie together in x0, and anywhere in the others.
  CHECK(parts.at("x0").at("log_ratio").get<double>() > 0);
  CHECK(told.at("nearest").size() == 3);
}

TEST_CASE("what a strategy tells changes no suggestion, and is the same for the same history") {
  const History history = by_first(15, Goal::kMinimize);
  AutoStrategy one(cube(3), minimize(), 1), other(cube(3), minimize(), 1);
  const Suggestion first = ask(one, history, 1), again = ask(one, history, 1), fresh = ask(other, history, 1);
  CHECK(first.explanation == again.explanation);
  CHECK(first.explanation == fresh.explanation);
  CHECK(first.parameters == fresh.parameters);
  CHECK(first.explanation.at("chosen_by") == "auto");
}
