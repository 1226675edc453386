#include "strategies/encoding.h"

#include <cmath>

#include "conformance/sample_spaces.h"
#include "support/catch.h"

using namespace tune;
using namespace tune::tests;
using tune::strategies::Activity;
using tune::strategies::Encoding;
using tune::strategies::UnitPoint;

namespace {

double distance(const Encoding& encoding, UnitPoint a, UnitPoint b) {
  encoding.snap(a);
  encoding.snap(b);
  return (encoding.encode(a) - encoding.encode(b)).squaredNorm();
}

}  // namespace

TEST_CASE("Numbers differ by their distance, categories by one") {
  const Encoding encoding(SearchSpace({number("x", 0, 1), choice("c", {"a", "b", "c"})}));
  CHECK(encoding.groups() == 2);
  CHECK(distance(encoding, {0.2, 0.1}, {0.5, 0.1}) == Approx(0.09));
  CHECK(distance(encoding, {0.2, 0.1}, {0.2, 0.5}) == Approx(1));
  CHECK(distance(encoding, {0.2, 0.1}, {0.2, 0.9}) == Approx(1));
  CHECK(distance(encoding, {0.2, 0.1}, {0.2, 0.3}) == 0);
}

TEST_CASE("A parameter that is not active does not contribute, and having it or not is a distance of one") {
  const Encoding encoding(SearchSpace({choice("on", {true, false}), when(number("x", 0, 1), "on", {true}),
                                       when(choice("c", {1, 2}), "on", {true})}));
  CHECK(distance(encoding, {0.9, 0.1, 0.1}, {0.9, 0.8, 0.9}) == 0);
  CHECK(distance(encoding, {0.1, 0.3, 0.1}, {0.1, 0.7, 0.1}) == Approx(2 - 2 * std::cos(0.4)));
  for (const double x : {0.0, 0.4, 1.0})
    CHECK(distance(encoding, {0.1, x, 0.1}, {0.9, 0.5, 0.5}) == Approx(1 + 1 + 1));
}

TEST_CASE("A parameter with a single value is no feature and its children are active") {
  const SearchSpace space(
      {whole("n", 3, 3), when(number("x", 0, 1), "n", {3}), when(number("y", 0, 1), "n", {4})});
  const Encoding encoding(space);
  UnitPoint unit{0.9, 0.2, 0.3};
  encoding.snap(unit);
  CHECK(encoding.activity(unit) == Activity{1, 1, 0});
  CHECK(encoding.groups() == 2);
}

TEST_CASE("Snapping and activity agree with the space for random points") {
  const SearchSpace space = mixed_space();
  const Encoding encoding(space);
  for (std::uint64_t i = 0; i < 300; ++i) {
    Rng rng(5, i);
    UnitPoint unit(space.size());
    for (double& u : unit) u = rng.uniform();
    const ParameterSet point = space.from_unit(unit);
    encoding.snap(unit);
    CHECK(Json(space.from_unit(unit)) == Json(point));
    const Activity active = encoding.activity(unit);
    const auto exact = space.to_unit(point, -1);
    for (std::size_t p = 0; p < space.size(); ++p) {
      CHECK(static_cast<bool>(active[p]) == point.contains(space.parameters()[p].name));
      if (active[p]) CHECK(unit[p] == Approx(exact[p]).margin(1e-12));
    }
  }
}

TEST_CASE("Pulling a gradient back agrees with central differences, and is zero where nothing moves") {
  const SearchSpace space({choice("on", {true, false}), when(number("x", 0, 1), "on", {true}),
                           number("y", 0, 1), when(number("z", 0, 1), "on", {false}), whole("n", 1, 9)});
  const Encoding encoding(space);
  UnitPoint unit{0.2, 0.3, 0.6, 0.5, 0.5};
  encoding.snap(unit);
  const Activity active = encoding.activity(unit);
  const Eigen::VectorXd slope = Eigen::VectorXd::LinSpaced(encoding.features(), 0.5, 2.5);
  const Eigen::VectorXd gradient = encoding.pull_back(unit, active, slope);
  for (const std::size_t p : {1u, 2u, 4u}) {
    UnitPoint up = unit, down = unit;
    up[p] += 1e-6;
    down[p] -= 1e-6;
    const double difference = slope.dot(encoding.encode(up, active) - encoding.encode(down, active)) / 2e-6;
    CHECK(encoding.is_smooth(p));
    CHECK(gradient[static_cast<Eigen::Index>(p)] == Approx(difference).epsilon(1e-6));
  }
  CHECK_FALSE(encoding.is_smooth(0));
  CHECK(gradient[0] == 0);
  CHECK(gradient[3] == 0);
}
