#include "tuner/core/placed_point.h"

#include "conformance/sample_spaces.h"
#include "support/catch.h"

using namespace tune;
using namespace tune::tests;

namespace {

SearchSpace amended() {
  return SearchSpace({number("lr", 0.001, 0.1, Scale::kLog), choice("optimizer", {"sgd", "adam"}),
                      when(number("momentum", 0, 1), "optimizer", {"sgd"})});
}

PlacedPoint placed(const ParameterSet& point, const std::map<std::string, Json>& assumed = {},
                   const ParameterSet& fixed = {}) {
  return placed_point(amended(), point, assumed, fixed);
}

}  // namespace

TEST_CASE("a point gets the assumed values of the active parameters that it lacks, and no others") {
  CHECK(placed({{"lr", 0.01}, {"optimizer", "sgd"}}, {{"momentum", 0.9}}).point ==
        ParameterSet{{"lr", 0.01}, {"optimizer", "sgd"}, {"momentum", 0.9}});
  CHECK(placed({{"lr", 0.01}, {"optimizer", "adam"}}, {{"momentum", 0.9}}).point ==
        ParameterSet{{"lr", 0.01}, {"optimizer", "adam"}});
  CHECK(placed({{"lr", 0.01}}, {{"optimizer", "sgd"}, {"momentum", 0}}).point ==
        ParameterSet{{"lr", 0.01}, {"optimizer", "sgd"}, {"momentum", 0.0}});
  // Its own value counts.
  CHECK(placed({{"lr", 0.01}, {"optimizer", "adam"}}, {{"optimizer", "sgd"}, {"momentum", 0.9}})
            .point->at("optimizer") == "adam");
}

TEST_CASE("a point without a place says why") {
  CHECK_FALSE(placed({{"lr", 1.0}, {"optimizer", "adam"}}).point);
  CHECK(placed({{"lr", 1.0}, {"optimizer", "adam"}}).objection.find("lr") != std::string::npos);
  CHECK_FALSE(placed({{"lr", 0.01}, {"optimizer", "sgd"}}).point);
  CHECK(placed({{"lr", 0.01}, {"optimizer", "sgd"}}).objection.find("momentum") != std::string::npos);
  CHECK_FALSE(placed({{"lr", 0.01}, {"optimizer", "rmsprop"}}).point);
  CHECK(placed({{"lr", 0.01}, {"optimizer", "adam"}, {"warmup", 3}}).objection ==
        "warmup is not searched any more");
}

TEST_CASE("a parameter that was fixed since keeps the points that had its value") {
  const ParameterSet point{{"lr", 0.01}, {"optimizer", "adam"}, {"warmup", 3}};
  CHECK(placed(point, {}, {{"warmup", 3}}).point == ParameterSet{{"lr", 0.01}, {"optimizer", "adam"}});
  CHECK(placed(point, {}, {{"warmup", 4}}).objection == "warmup is 3, and 4 is fixed");
}
