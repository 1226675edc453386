#include "tuner/core/preference.h"

#include "support/catch.h"

using namespace tune;

namespace {

const std::array<Objective, 2> kObjectives{Objective{"accuracy", Goal::kMaximize, Reduce::kBest},
                                           Objective{"latency_ms", Goal::kMinimize, Reduce::kLast}};
const std::vector<std::vector<double>> kFront{{0.95, 40}, {0.93, 24}, {0.90, 12}, {0.80, 8}};

PreferredOrder order(const char* prefer) {
  return PreferredOrder(preference_from(Json::parse(prefer), kObjectives), kObjectives, kFront);
}

}  // namespace

TEST_CASE("a weight chooses by values scaled to the front's range") {
  CHECK(order(R"({"weight": 1})").chosen() == 0U);
  CHECK(order(R"({"weight": 0})").chosen() == 3U);
  // 0.93 is 0.867 of the way from 0.80 to 0.95, and 24 is 0.5 of the way from 40 to 8; 0.90 and 12 are 0.667
  // and 0.875. So 0.5 prefers the third (0.771 to 0.683), and 0.8 the second (0.793 to 0.708; the first has
  // 0.8).
  CHECK(order(R"({"weight": 0.5})").chosen() == 2U);
  CHECK(order(R"({"weight": 0.8})").chosen() == 0U);
  CHECK(order(R"({"weight": 0.7})").chosen() == 1U);
}

TEST_CASE("the best of one objective is taken among those that keep to the bounds") {
  CHECK(order(R"({"best": "accuracy"})").chosen() == 0U);
  CHECK(order(R"({"best": "accuracy", "with": {"latency_ms": {"max": 24}}})").chosen() == 1U);
  CHECK(order(R"({"best": "accuracy", "with": {"latency_ms": {"max": 23}}})").chosen() == 2U);
  CHECK(order(R"({"best": "latency_ms", "with": {"accuracy": {"min": 0.9}}})").chosen() == 2U);
}

TEST_CASE("where none keeps to the bounds the nearest is named") {
  const PreferredOrder strict = order(R"({"best": "accuracy", "with": {"latency_ms": {"max": 5}}})");
  CHECK_FALSE(strict.chosen());
  CHECK(strict.nearest() == 3U);
  CHECK(strict.text(kFront[3]) == "accuracy 0.8, latency_ms 8");
  const PreferredOrder both = order(R"({"best": "accuracy", "with": {"latency_ms": {"max": 11},
                                        "accuracy": {"min": 0.9}}})");
  CHECK_FALSE(both.chosen());
  CHECK(both.nearest() == 2U);
}

TEST_CASE("a front of one trial is chosen by any weight, and values beyond the front count as such") {
  const PreferredOrder one(Preference{.weight = 0.3}, kObjectives, {{0.9, 10}});
  CHECK(one.chosen() == 0U);
  CHECK_FALSE(one.is_preferred({0.9, 10}, {0.9, 10}));
  const PreferredOrder weighted = order(R"({"weight": 0.5})");
  CHECK(weighted.is_preferred({0.99, 4}, {0.95, 8}));
  CHECK_FALSE(weighted.is_preferred({0.5, 100}, {0.8, 40}));
}

TEST_CASE("a preference is said in words, and read from a stored spec") {
  CHECK(preference_text(preference_from(Json::parse(R"({"weight": 0.7})"), kObjectives), kObjectives) ==
        "weight 0.7 of accuracy, the rest of latency_ms");
  const Json spec = Json::parse(
      R"({"promote": {"model": "m", "prefer": {"best": "accuracy", "with": {"latency_ms": {"max": 20}}}}})");
  const auto stored = preference_in(spec, kObjectives);
  REQUIRE(stored);
  CHECK(preference_text(*stored, kObjectives) == "best accuracy with latency_ms of at most 20");
  CHECK_FALSE(preference_in(Json::parse(R"({"promote": {"model": "m"}})"), kObjectives));
}
