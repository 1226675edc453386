#include "strategies/grid_strategy.h"

#include <set>

#include "conformance/sample_spaces.h"
#include "strategies/grid_walk.h"
#include "support/catch.h"
#include "tuner/core/error.h"
#include "tuner/core/space.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

// Runs the grid to its end.
std::vector<ParameterSet> whole_grid(const SearchSpace& space, History history = {minimize(), {}}) {
  GridStrategy grid(space);
  std::vector<ParameterSet> points;
  Rng rng(1);
  while (true) {
    const Answer answer = grid.suggest(history, rng);
    const auto* suggestion = std::get_if<Suggestion>(&answer);
    if (!suggestion) {
      CHECK(std::holds_alternative<Exhausted>(answer));
      return points;
    }
    REQUIRE_FALSE(space.objection(suggestion->parameters).has_value());
    points.push_back(suggestion->parameters);
    add_trial(history, suggestion->parameters, TrialState::kFailed);
    REQUIRE(points.size() < 1000);
  }
}

}  // namespace

TEST_CASE("A grid takes every combination once, the last parameter fastest, and then is exhausted") {
  const auto points =
      whole_grid(SearchSpace({whole("n", 1, 3), choice("c", {"a", "b"}), stepped("s", 0, 0.2, 0.1)}));
  REQUIRE(points.size() == 18);
  CHECK(Json(points[0]) == Json{{"n", 1}, {"c", "a"}, {"s", 0.0}});
  CHECK(Json(points[1]) == Json{{"n", 1}, {"c", "a"}, {"s", 0.1}});
  CHECK(Json(points[3]) == Json{{"n", 1}, {"c", "b"}, {"s", 0.0}});
  CHECK(Json(points[17]) == Json{{"n", 3}, {"c", "b"}, {"s", 0.2}});
  std::set<std::string> distinct;
  for (const auto& point : points) distinct.insert(Json(point).dump());
  CHECK(distinct.size() == 18);
}

TEST_CASE("Levels lie evenly on the scale and include the ends") {
  const auto points = whole_grid(SearchSpace({with_levels(number("lr", 1e-4, 1e-2, Scale::kLog), 3)}));
  REQUIRE(points.size() == 3);
  CHECK(points[0].at("lr") == 1e-4);
  CHECK(points[1].at("lr").get<double>() == Approx(1e-3));
  CHECK(points[2].at("lr") == 1e-2);
}

TEST_CASE("Levels thin out an integer, and more levels than values mean all values") {
  CHECK(whole_grid(SearchSpace({with_levels(whole("n", 0, 100), 5)})).size() == 5);
  CHECK(whole_grid(SearchSpace({with_levels(whole("n", 0, 2), 5)})).size() == 3);
}

TEST_CASE("An inactive parameter multiplies nothing") {
  const SearchSpace space({choice("optimizer", {"sgd", "adam"}),
                           when(choice("nesterov", {true, false}), "optimizer", {"sgd"}),
                           when(whole("depth", 1, 3), "nesterov", {true})});
  const auto points = whole_grid(space);
  CHECK(points.size() == 3 + 1 + 1);
  CHECK(points.size() == space.cardinality());
}

TEST_CASE("Points that were tried before are not repeated, others do not shorten the grid") {
  const SearchSpace space({whole("n", 1, 4), with_levels(number("x", 0, 1), 2)});
  History history{minimize(), {}};
  add_trial(history, {{"n", 2}, {"x", 1.0}}, TrialState::kCompleted, {1});
  add_trial(history, {{"n", 2}, {"x", 0.3}}, TrialState::kCompleted, {1});
  CHECK(whole_grid(space, history).size() == 7);
}

TEST_CASE("A continuous parameter without step or levels is refused by name, with the cure") {
  try {
    GridStrategy grid(SearchSpace({number("momentum", 0, 1)}));
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kBadSpec);
    CHECK(std::string(error.what()).find("momentum") != std::string::npos);
    CHECK(error.hint().find("levels") != std::string::npos);
  }
}

TEST_CASE("A grid over levels takes them as they are written, and its space counts its points") {
  const SearchSpace space({with_levels(whole("n", 1, 1000, Scale::kLog), 4), choice("c", {"a", "b"}),
                           when(with_levels(number("lr", 1e-5, 1e-3, Scale::kLog), 3), "c", {"b"})});
  const auto points = whole_grid(space);
  REQUIRE(points.size() == 4 * (1 + 3));
  CHECK(Json(points[0]) == Json{{"n", 1}, {"c", "a"}});
  CHECK(Json(points[2]) == Json{{"n", 1}, {"c", "b"}, {"lr", 1e-4}});
  CHECK(points[4].at("n") == 10);
  CHECK(points.back().at("n") == 1000);
  CHECK(grid_space(space).cardinality() == 16);
}
