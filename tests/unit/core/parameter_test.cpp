#include "tuner/core/parameter.h"

#include <cmath>

#include "support/catch.h"
#include "tuner/core/rng.h"

using namespace tune;

namespace {

Parameter floating(double min, double max, Scale scale = Scale::kLinear) {
  Parameter p;
  p.name = "p", p.type = ParameterType::kFloat, p.min = min, p.max = max, p.scale = scale;
  return p;
}
Parameter integer(double min, double max, Scale scale = Scale::kLinear, std::optional<double> step = {}) {
  Parameter p = floating(min, max, scale);
  p.type = ParameterType::kInt, p.step = step;
  return p;
}
Parameter stepped(double min, double max, double step, Scale scale = Scale::kLinear) {
  Parameter p = floating(min, max, scale);
  p.step = step;
  return p;
}
Parameter categorical(std::vector<Json> values) {
  Parameter p;
  p.name = "p", p.type = ParameterType::kCategorical, p.values = std::move(values);
  return p;
}

}  // namespace

TEST_CASE("a continuous parameter maps its ends to 0 and 1 exactly", "[space]") {
  const Parameter p = GENERATE(floating(-3, 7), floating(1e-5, 0.1, Scale::kLog),
                               floating(0, 0.999, Scale::kReverseLog), floating(1e-300, 1e300, Scale::kLog));
  REQUIRE(p.cardinality() == 0);
  REQUIRE(p.from_unit(0).get<double>() == p.min);
  REQUIRE(p.from_unit(1).get<double>() == p.max);
  REQUIRE(p.to_unit(p.min) == 0);
  REQUIRE(p.to_unit(p.max) == 1);
}

TEST_CASE("each scale puts its own value in the middle", "[space]") {
  REQUIRE(floating(0, 10).from_unit(0.5).get<double>() == Approx(5));
  REQUIRE(floating(1e-4, 1e-2, Scale::kLog).from_unit(0.5).get<double>() == Approx(1e-3));
  // 1 - x is what is logarithmic: halfway between 1 - 0.9 and 1 - 0.999.
  REQUIRE(floating(0.9, 0.999, Scale::kReverseLog).from_unit(0.5).get<double>() == Approx(0.99));
}

TEST_CASE("continuous values come back from the unit cube, never outside their range", "[space]") {
  Rng rng(11);
  const Parameter p =
      GENERATE(floating(-3, 7), floating(1e-5, 0.1, Scale::kLog), floating(0, 0.999, Scale::kReverseLog));
  for (int i = 0; i < 2000; ++i) {
    const double u = rng.uniform();
    const double value = p.from_unit(u).get<double>();
    REQUIRE(value >= p.min);
    REQUIRE(value <= p.max);
    REQUIRE(p.to_unit(value) == Approx(u).margin(1e-12));
    REQUIRE(p.from_unit(p.to_unit(value)).get<double>() == Approx(value).epsilon(1e-12));
    REQUIRE_FALSE(p.objection(p.from_unit(u)).has_value());
  }
}

TEST_CASE("coordinates beyond the unit interval are clamped, and NaN is the middle", "[space]") {
  const Parameter p = GENERATE(floating(1, 3), integer(1, 3), categorical({1, 2, 3}));
  REQUIRE(p.from_unit(-7).get<double>() == 1);
  REQUIRE(p.from_unit(7).get<double>() == 3);
  REQUIRE(p.from_unit(std::nan("")).get<double>() == 2);
}

TEST_CASE("every discrete value comes back from its coordinate", "[space]") {
  const Parameter p =
      GENERATE(integer(-5, 5), integer(1, 1000, Scale::kLog), integer(8, 512, Scale::kLog, 8.0),
               stepped(0.1, 0.9, 0.1), stepped(0, 0.95, 0.05, Scale::kReverseLog),
               stepped(0.01, 1, 0.01, Scale::kLog), integer(4, 4), categorical({"a", true, nullptr, 1.5}));
  for (std::size_t k = 0; k < p.cardinality(); ++k) {
    const Json value = p.value_at(k);
    REQUIRE(p.from_unit(p.to_unit(value)) == value);
    REQUIRE_FALSE(p.objection(value).has_value());
    if (k > 0) REQUIRE(p.to_unit(value) > p.to_unit(p.value_at(k - 1)));
  }
  REQUIRE(p.from_unit(0) == p.value_at(0));
  REQUIRE(p.from_unit(1) == p.value_at(p.cardinality() - 1));
}

TEST_CASE("values of very large integer ranges come back too", "[space]") {
  Rng rng(3);
  const Parameter p = GENERATE(integer(1, 1e12), integer(1, 1e12, Scale::kLog), integer(-9e15, 9e15));
  const bool exact = p.cardinality() <= (std::size_t{1} << 40);
  for (int i = 0; i < 500; ++i) {
    const Json value = p.from_unit(rng.uniform());
    REQUIRE(value.is_number_integer());
    REQUIRE_FALSE(p.objection(value).has_value());
    if (exact) REQUIRE(p.from_unit(p.to_unit(value)) == value);
  }
}

TEST_CASE("on a linear scale every value owns the same share of the interval", "[space]") {
  const Parameter p = GENERATE(integer(1, 4), stepped(0, 0.75, 0.25), categorical({"a", "b", "c", "d"}));
  for (std::size_t k = 0; k < 4; ++k) {
    REQUIRE(p.to_unit(p.value_at(k)) == Approx((static_cast<double>(k) + 0.5) / 4));
    REQUIRE(p.from_unit(static_cast<double>(k) / 4 + 1e-9) == p.value_at(k));
    REQUIRE(p.from_unit(static_cast<double>(k + 1) / 4 - 1e-9) == p.value_at(k));
  }
}

TEST_CASE("on a log scale integers are drawn in proportion to their width on the scale", "[space]") {
  const Parameter p = integer(1, 1024, Scale::kLog);
  constexpr int kPoints = 100'000;
  int small = 0;
  for (int i = 0; i < kPoints; ++i)
    if (p.from_unit((i + 0.5) / kPoints).get<int>() <= 32) ++small;
  // ln(32.5 / 0.71) / ln(1024.5 / 0.71): half of the decades, although 3 in 100 of the integers.
  REQUIRE(small / double(kPoints) == Approx(0.5256).margin(0.005));
}

TEST_CASE("stepped floats are the decimals that a person expects", "[space]") {
  const Parameter p = stepped(0.1, 0.9, 0.1);
  REQUIRE(p.cardinality() == 9);
  REQUIRE(p.value_at(2).get<double>() == 0.3);
  REQUIRE(p.value_at(8).get<double>() == 0.9);
  REQUIRE_FALSE(p.objection(0.1 + 0.2).has_value());
  REQUIRE_THROWS_AS(p.value_at(9), std::out_of_range);
  REQUIRE_THROWS_AS(floating(0, 1).value_at(0), std::out_of_range);
}

TEST_CASE("a parameter with one value is discrete and sits in the middle", "[space]") {
  const Parameter p = floating(2.5, 2.5, Scale::kLog);
  REQUIRE(p.cardinality() == 1);
  REQUIRE(p.to_unit(2.5) == 0.5);
  REQUIRE(p.from_unit(0.9).get<double>() == 2.5);
}

TEST_CASE("bounds that fall together on the scale do no harm", "[space]") {
  const double low = 1e300;
  const Parameter p = floating(low, std::nextafter(low, 2e300), Scale::kLog);
  REQUIRE(std::isfinite(p.to_unit(low)));
  REQUIRE_FALSE(p.objection(p.from_unit(0.3)).has_value());
}

TEST_CASE("a value that is not the parameter's is refused with the reason", "[space]") {
  using Catch::Matchers::Contains;
  REQUIRE_THAT(*floating(0, 1).objection(2), Contains("greater than its max 1"));
  REQUIRE_THAT(*floating(0, 1).objection(-0.5), Contains("less than its min 0"));
  REQUIRE_THAT(*floating(0, 1).objection("0.5"), Contains("is not a number"));
  REQUIRE_THAT(*floating(0, 1).objection(std::nan("")), Contains("not finite"));
  REQUIRE_THAT(*integer(0, 9).objection(1.5), Contains("not an integer"));
  REQUIRE_THAT(*integer(8, 32, Scale::kLinear, 8.0).objection(12), Contains("the nearest is"));
  REQUIRE_THAT(*categorical({"sgd", "adam"}).objection("adma"), Contains("\"sgd\", \"adam\""));
  REQUIRE_FALSE(floating(0, 1).objection(1).has_value());
  REQUIRE_THROWS_AS(categorical({"a"}).to_unit("b"), std::invalid_argument);
  REQUIRE_THROWS_AS(floating(0, 1).to_unit("b"), std::invalid_argument);
}

TEST_CASE("true is not 1 among categorical values", "[space]") {
  const Parameter p = categorical({1, true, "1"});
  REQUIRE(p.to_unit(true) == Approx(0.5));
  REQUIRE(p.from_unit(0.5) == true);
  REQUIRE(p.objection(false).has_value());
}

namespace {

Json levels_of(Parameter parameter, int levels) {
  parameter.levels = levels;
  return parameter.level_values();
}

}  // namespace

TEST_CASE("levels of integers lie evenly on the scale, distinct, and as many as were asked for", "[space]") {
  CHECK(levels_of(integer(1, 1000, Scale::kLog), 4) == Json({1, 10, 100, 1000}));
  CHECK(levels_of(integer(8, 512, Scale::kLog), 7) == Json({8, 16, 32, 64, 128, 256, 512}));
  CHECK(levels_of(integer(1, 10, Scale::kLog), 9) == Json({1, 2, 3, 4, 5, 6, 7, 8, 10}));
  CHECK(levels_of(integer(1, 65536, Scale::kLog), 17).size() == 17);
  CHECK(levels_of(integer(0, 100), 5) == Json({0, 25, 50, 75, 100}));
  CHECK(levels_of(integer(0, 10), 3) == Json({0, 5, 10}));
  CHECK(levels_of(integer(8, 64, Scale::kLog, 8), 4) == Json({8, 16, 32, 64}));
  CHECK(levels_of(integer(1, 1'000'000'000'000, Scale::kLog), 13)[6] == 1'000'000);
}

TEST_CASE("no number of levels of any lattice gives fewer, equal or unordered values, or misses an end",
          "[space]") {
  for (const Parameter& p : {integer(1, 40, Scale::kLog), integer(3, 40), integer(2, 41, Scale::kLog, 3),
                             stepped(0, 0.9, 0.025, Scale::kReverseLog), stepped(0.1, 2.1, 0.05)}) {
    const std::size_t all = p.cardinality();
    for (int levels = 2; levels < static_cast<int>(all); ++levels) {
      const Json values = levels_of(p, levels);
      REQUIRE(values.size() == static_cast<std::size_t>(levels));
      REQUIRE(values.front() == p.value_at(0));
      REQUIRE(values.back() == p.value_at(all - 1));
      for (std::size_t i = 1; i < values.size(); ++i) REQUIRE(values[i - 1] < values[i]);
    }
    CHECK(levels_of(p, static_cast<int>(all)).empty());
  }
}

TEST_CASE("levels of floats are the numbers that people write, where those are exact", "[space]") {
  CHECK(levels_of(floating(1e-5, 1e-1, Scale::kLog), 5) == Json({1e-5, 1e-4, 1e-3, 1e-2, 1e-1}));
  CHECK(levels_of(floating(0, 1), 11) == Json({0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0}));
  CHECK(levels_of(floating(0, 0.999, Scale::kReverseLog), 4) == Json({0.0, 0.9, 0.99, 0.999}));
  CHECK(levels_of(floating(-1, 1), 3) == Json({-1.0, 0.0, 1.0}));
  CHECK(levels_of(floating(1e-300, 1e300, Scale::kLog), 3) == Json({1e-300, 1.0, 1e300}));
  CHECK(levels_of(floating(0, 1e-20), 3) == Json({0.0, 5e-21, 1e-20}));
  // The root of ten is no number that anybody writes: it stays as exact as it can be.
  CHECK(levels_of(floating(1e-4, 1e-3, Scale::kLog), 3)[1].get<double>() ==
        Approx(std::sqrt(1e-7)).epsilon(1e-14));
  CHECK(levels_of(floating(0, 1), 4)[1] == 1.0 / 3);
}

TEST_CASE("a parameter without levels, or with values enough, has no levels of its own", "[space]") {
  CHECK(floating(0, 1).level_values().empty());
  CHECK(levels_of(integer(1, 3), 5).empty());
  CHECK(levels_of(floating(2, 2), 5).empty());
}
