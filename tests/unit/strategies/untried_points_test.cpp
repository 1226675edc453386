#include "strategies/untried_points.h"

#include <cmath>

#include "conformance/sample_spaces.h"
#include "strategies/initial_design.h"
#include "strategies/strategy.h"
#include "support/catch.h"
#include "unit/strategies/suggestions.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

std::vector<SearchSpace> small_spaces() {
  return {SearchSpace({whole("a", 1, 8)}),
          SearchSpace({whole("a", 1, 3), choice("b", {"u", "v"})}),
          SearchSpace({choice("b", {"u", "v"}), whole("a", 1, 3)}),
          SearchSpace({whole("a", 1, 20, Scale::kLog)}),
          SearchSpace({stepped("s", 0, 0.5, 0.1), when(whole("a", 1, 3), "s", {0.1, 0.5})}),
          SearchSpace({choice("b", {true, false, nullptr}), choice("c", {1, 2, 3})})};
}

}  // namespace

TEST_CASE("The strategies that learn try every point of a small space before they repeat one") {
  const std::string name = GENERATE("auto", "bayesian", "tpe");
  // Results at once, never (all wait), and failures.
  const TrialState state = GENERATE(TrialState::kCompleted, TrialState::kRunning, TrialState::kFailed);
  for (const SearchSpace& space : small_spaces()) {
    for (const std::uint64_t seed : {1, 4, 7}) {
      StrategySpec spec;
      spec.name = name;
      const auto strategy = make_strategy(spec, space, minimize(), seed);
      History history{minimize(), {}};
      std::set<std::string> seen;
      for (std::size_t i = 0; i < space.cardinality(); ++i) {
        const Suggestion suggestion = ask(*strategy, history, seed);
        INFO(name << " " << seed << " " << Json(suggestion.parameters) << " " << suggestion.note);
        REQUIRE(seen.insert(Json(suggestion.parameters).dump()).second);
        CHECK_FALSE(suggestion.space_is_used_up);
        const double value = space.to_unit(suggestion.parameters, 0)[0];
        add_trial(history, suggestion.parameters, state,
                  state == TrialState::kCompleted ? std::vector<double>{value} : std::vector<double>{});
      }
      CHECK(ask(*strategy, history, seed).space_is_used_up);
    }
  }
}

TEST_CASE("Random search and Sobol points say from when on they can only repeat") {
  const std::string name = GENERATE("random", "sobol");
  for (const SearchSpace& space : small_spaces()) {
    StrategySpec spec;
    spec.name = name;
    const auto strategy = make_strategy(spec, space, minimize(), 3);
    History history{minimize(), {}};
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
      const Suggestion suggestion = ask(*strategy, history, 3);
      REQUIRE(suggestion.space_is_used_up == (seen.size() == space.cardinality()));
      CHECK((suggestion.note.find("it repeats a point") != std::string::npos) == suggestion.space_is_used_up);
      seen.insert(Json(suggestion.parameters).dump());
      add_trial(history, suggestion.parameters, TrialState::kCompleted, {0.5});
    }
    CHECK(seen.size() == space.cardinality());
  }
  StrategySpec spec;
  spec.name = name;
  const SearchSpace none;
  History history{minimize(), {}};
  add_trial(history, {}, TrialState::kCompleted, {0.5});
  CHECK_FALSE(ask(*make_strategy(spec, none, minimize(), 3), history, 3).space_is_used_up);
}

TEST_CASE("A large space is used up to its last point without listing it") {
  const SearchSpace space({whole("a", 0, 99), whole("b", 0, 99)});
  const Encoding encoding(space);
  const UntriedPoints untried(space, encoding);
  std::set<PointKey> tried;
  Rng rng(1);
  const auto some = untried.list(tried, rng);
  CHECK(some.size() > 100);
  CHECK(some.size() <= UntriedPoints::kMostListed);
  for (int a = 0; a < 100; ++a)
    for (int b = 0; b < 100; ++b)
      if (a != 99 || b != 17) tried.insert(point_key(space, {{"a", a}, {"b", b}}));
  const auto last = untried.list(tried, rng);
  REQUIRE(last.size() == 1);
  CHECK(Json(space.from_unit(last.front())) == Json{{"a", 99}, {"b", 17}});
  tried.insert(point_key(space, {{"a", 99}, {"b", 17}}));
  CHECK(untried.list(tried, rng).empty());
}

TEST_CASE("The farthest point is far from all that was tried, and a bonus may outweigh that") {
  const SearchSpace space({whole("a", 0, 10)});
  const Encoding encoding(space);
  const UntriedPoints untried(space, encoding);
  Rng rng(1);
  const std::set<PointKey> tried{point_key(space, {{"a", 0}}), point_key(space, {{"a", 10}})};
  const auto units = untried.list(tried, rng);
  const auto none = [](const Eigen::VectorXd&) { return 0.0; };
  CHECK(space.from_unit(untried.farthest(units, tried, none)).at("a") == 5);
  const auto high = [](const Eigen::VectorXd& x) { return 100 * x[0]; };
  CHECK(space.from_unit(untried.farthest(units, tried, high)).at("a") == 9);
}

TEST_CASE("A continuous space has no list of points, and nothing of it is used up") {
  const SearchSpace space({whole("a", 1, 2), number("x", 0, 1)});
  const Encoding encoding(space);
  const UntriedPoints untried(space, encoding);
  Rng rng(1);
  CHECK_FALSE(untried.is_finite());
  CHECK(untried.list({}, rng).empty());
}

TEST_CASE("Other points of the initial design differ from the trial's own in every dimension") {
  const SearchSpace space = cube(3);
  const Encoding encoding(space);
  const InitialDesign design(space, encoding, 5);
  for (int number = 2; number < 10; ++number) {
    for (std::size_t i = 0; i < 3; ++i) {
      double widest = 0;
      for (std::uint32_t j = 1; j < 8; ++j)
        widest = std::max(widest, std::abs(design.point(number, j)[i] - design.point(number)[i]));
      CHECK(widest > 0.1);
    }
  }
}
