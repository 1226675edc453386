#include "tuner/core/space.h"

#include "support/catch.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"

using namespace tune;

namespace {

Parameter categorical(std::string name, std::vector<Json> values, std::vector<Condition> when = {}) {
  Parameter p;
  p.name = std::move(name), p.type = ParameterType::kCategorical, p.values = std::move(values),
  p.when = std::move(when);
  return p;
}
Parameter range(std::string name, ParameterType type, double min, double max,
                std::vector<Condition> when = {}) {
  Parameter p;
  p.name = std::move(name), p.type = type, p.min = min, p.max = max, p.when = std::move(when);
  return p;
}

// nesterov only with sgd, warmth only with nesterov; the child stands before its parent on purpose.
SearchSpace conditional_space() {
  return SearchSpace({categorical("warmth", {1, 2, 3}, {{"nesterov", {true}}}),
                      categorical("optimizer", {"sgd", "adam", "lamb"}),
                      categorical("nesterov", {true, false}, {{"optimizer", {"sgd", "lamb"}}}),
                      categorical("size", {8, 16})});
}

}  // namespace

TEST_CASE("a space keeps the order of the spec and finds its parameters", "[space]") {
  const SearchSpace space = conditional_space();
  REQUIRE(space.size() == 4);
  REQUIRE(space.parameters()[0].name == "warmth");
  REQUIRE(space.find("nesterov") == std::size_t{2});
  REQUIRE_FALSE(space.find("lr").has_value());
  REQUIRE(space.is_conditional());
  REQUIRE_FALSE(SearchSpace({categorical("a", {1})}).is_conditional());
  REQUIRE(space.dependency_order() == std::vector<std::size_t>{1, 2, 3, 0});
}

TEST_CASE("an inactive parent makes its children inactive", "[space]") {
  const SearchSpace space = conditional_space();
  REQUIRE(space.is_active(0, {{"optimizer", "lamb"}, {"nesterov", true}}));
  REQUIRE_FALSE(space.is_active(0, {{"optimizer", "sgd"}, {"nesterov", false}}));
  REQUIRE_FALSE(space.is_active(0, {{"optimizer", "adam"}, {"nesterov", true}}));
  REQUIRE_FALSE(space.is_active(2, {}));
  REQUIRE(space.is_active(1, {}));
}

TEST_CASE("several conditions mean and", "[space]") {
  const SearchSpace space(
      {categorical("a", {1, 2}), categorical("b", {1, 2}), categorical("c", {1}, {{"a", {1}}, {"b", {2}}})});
  REQUIRE(space.is_active(2, {{"a", 1}, {"b", 2}}));
  REQUIRE_FALSE(space.is_active(2, {{"a", 1}, {"b", 1}}));
  REQUIRE_FALSE(space.is_active(2, {{"a", 2}, {"b", 2}}));
}

TEST_CASE("every point of the cube is a point of the space, and comes back", "[space]") {
  std::vector<Parameter> parameters = conditional_space().parameters();
  parameters.push_back(range("lr", ParameterType::kFloat, 0, 1));
  parameters.push_back(range("layers", ParameterType::kInt, 1, 9, {{"size", {16}}}));
  const SearchSpace space(parameters);
  Rng rng(4);
  for (int i = 0; i < 1000; ++i) {
    std::vector<double> unit(space.size());
    for (double& u : unit) u = rng.uniform();
    const ParameterSet set = space.from_unit(unit);
    REQUIRE_FALSE(space.objection(set).has_value());
    const std::vector<double> back = space.to_unit(set, -1);
    for (std::size_t k = 0; k < space.size(); ++k) REQUIRE((back[k] == -1) == !space.is_active(k, set));
    REQUIRE(space.from_unit(back).size() == set.size());
  }
}

TEST_CASE("a point with the wrong number of coordinates breaks an invariant", "[space]") {
  const std::vector<double> unit(3);
  REQUIRE_THROWS_AS(conditional_space().from_unit(unit), Error);
}

TEST_CASE("a set that is not a point is refused with the reason", "[space]") {
  using Catch::Matchers::Contains;
  const SearchSpace space = conditional_space();
  REQUIRE_FALSE(space.objection({{"optimizer", "adam"}, {"size", 8}}).has_value());
  REQUIRE_THAT(*space.objection({{"optimizer", "adam"}}), Contains("\"size\" is missing"));
  REQUIRE_THAT(*space.objection({{"optimizer", "adam"}, {"size", 8}, {"nesterov", true}}),
               Contains("not active"));
  REQUIRE_THAT(*space.objection({{"optimizer", "adam"}, {"size", 9}}), Contains("\"size\": 9 is not one of"));
  REQUIRE_THAT(*space.objection({{"optimizer", "adam"}, {"size", 8}, {"lr", 1}}),
               Contains("\"lr\" is not a parameter"));
}

TEST_CASE("points are counted with their conditions", "[space]") {
  // adam: 1; sgd and lamb: nesterov false 1, true 3 each; times two sizes.
  REQUIRE(conditional_space().cardinality() == (1 + 2 * (1 + 3)) * 2);
  REQUIRE(SearchSpace({range("a", ParameterType::kInt, 1, 10), categorical("b", {1, 2})}).cardinality() ==
          20);
  REQUIRE(SearchSpace({range("a", ParameterType::kFloat, 0, 1), categorical("b", {1, 2})}).cardinality() ==
          0);
  REQUIRE(SearchSpace().cardinality() == 1);
}

TEST_CASE("the count of a huge space neither overflows nor takes for ever", "[space]") {
  std::vector<Parameter> parameters;
  for (int i = 0; i < 8; ++i)
    parameters.push_back(range("p" + std::to_string(i), ParameterType::kInt, 1, 1e15));
  REQUIRE(SearchSpace(parameters).cardinality() == std::numeric_limits<std::size_t>::max());
  // Too many parents to walk: the count without conditions is an upper bound.
  const SearchSpace wide({range("a", ParameterType::kInt, 1, 2e6), categorical("b", {1, 2}, {{"a", {1}}})});
  REQUIRE(wide.cardinality() == 4'000'000);
}

TEST_CASE("a space with an unknown parent, a cycle or a name twice is refused", "[space]") {
  using Catch::Matchers::Contains;
  REQUIRE_THROWS_WITH(SearchSpace({categorical("a", {1}, {{"z", {1}}})}),
                      Contains("\"z\", which is not a parameter"));
  REQUIRE_THROWS_WITH(SearchSpace({categorical("a", {1}, {{"b", {1}}}), categorical("b", {1}, {{"a", {1}}})}),
                      Contains("cycle"));
  REQUIRE_THROWS_WITH(SearchSpace({categorical("a", {1}), categorical("a", {2})}), Contains("twice"));
  REQUIRE_THROWS_AS(SearchSpace({categorical("a", {1}, {{"z", {1}}})}), std::invalid_argument);
}
