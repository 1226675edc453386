#include "tuner/core/clock.h"

#include "support/catch.h"

using namespace tune;
using namespace std::chrono_literals;

TEST_CASE("durations are read in every unit and in sums of units", "[clock]") {
  REQUIRE(parse_duration("90s") == 90s);
  REQUIRE(parse_duration("20m") == 20min);
  REQUIRE(parse_duration("2h") == 2h);
  REQUIRE(parse_duration("1d") == 24h);
  REQUIRE(parse_duration("1500ms") == 1500ms);
  REQUIRE(parse_duration("1h30m") == 90min);
  REQUIRE(parse_duration("1d2h3m4s5ms") == 26h + 3min + 4s + 5ms);
  REQUIRE(parse_duration("0s") == 0ms);
}

TEST_CASE("what is not a duration is refused with a reason", "[clock]") {
  const auto [text, reason] =
      GENERATE(table<std::string, std::string>({{"", "is empty"},
                                                {"90", "has no unit"},
                                                {"h", "does not start with a digit"},
                                                {"-5s", "does not start with a digit"},
                                                {"2 h", "\" h\" is not a unit"},
                                                {"2w", "\"w\" is not a unit"},
                                                {"1.5h", "fractions are not taken"},
                                                {"1h0,5m", "fractions are not taken"},
                                                {"30m1h", "from large to small"},
                                                {"1h1h", "from large to small"},
                                                {"99999999999999999999s", "longer than a century"},
                                                {"40000d", "longer than a century"}}));
  CAPTURE(text);
  REQUIRE_THROWS_WITH(parse_duration(text),
                      Catch::Matchers::Contains(reason) && Catch::Matchers::Contains("20m"));
}

TEST_CASE("durations are shown with their two largest units", "[clock]") {
  REQUIRE(format_duration(0ms) == "0s");
  REQUIRE(format_duration(850ms) == "850ms");
  REQUIRE(format_duration(42'900ms) == "42s");
  REQUIRE(format_duration(200s) == "3m 20s");
  REQUIRE(format_duration(185s) == "3m 05s");
  REQUIRE(format_duration(125min) == "2h 05m");
  REQUIRE(format_duration(76h) == "3d 4h");
  REQUIRE(format_duration(-200s) == "-3m 20s");
}

TEST_CASE("times are shown in UTC with milliseconds, also before 1970", "[clock]") {
  REQUIRE(format_time(WallTime(0ms)) == "1970-01-01T00:00:00.000Z");
  REQUIRE(format_time(WallTime(1'769'860'800'007ms)) == "2026-01-31T12:00:00.007Z");
  REQUIRE(format_time(WallTime(-1ms)) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a manual clock moves both of its hands, and only when told", "[clock]") {
  ManualClock clock;
  const SteadyTime steady = clock.steady_now();
  const WallTime wall = clock.wall_now();
  REQUIRE(clock.steady_now() == steady);
  clock.advance(90s);
  REQUIRE(clock.steady_now() - steady == 90s);
  REQUIRE(clock.wall_now() - wall == 90s);
  clock.set_wall(WallTime(5ms));
  REQUIRE(clock.steady_now() - steady == 90s);
  REQUIRE(clock.wall_now() == WallTime(5ms));
}

TEST_CASE("the system's steady clock does not go back", "[clock]") {
  const SystemClock clock;
  const SteadyTime before = clock.steady_now();
  REQUIRE(clock.steady_now() >= before);
  REQUIRE(clock.wall_now() > WallTime(1'700'000'000'000ms));
}
