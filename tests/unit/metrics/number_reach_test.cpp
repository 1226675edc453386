#include "tuner/metrics/number_reach.h"

#include <re2/re2.h>

#include "support/catch.h"

using tune::metrics::NumberReach;
using tune::metrics::reach_of;

namespace {

// Where the first group of `regex` reaches in `line`.
// The line must outlive it.
NumberReach reach(const std::string& regex, std::string_view line) {
  const RE2 pattern(regex);
  re2::StringPiece groups[2];
  REQUIRE(
      pattern.Match(re2::StringPiece(line.data(), line.size()), 0, line.size(), RE2::UNANCHORED, groups, 2));
  const auto end = static_cast<std::size_t>(groups[0].data() - line.data()) + groups[0].size();
  return reach_of(line, std::string_view(groups[1].data(), groups[1].size()), end);
}

std::string cut(const std::string& regex, std::string_view line) {
  const NumberReach found = reach(regex, line);
  return found.kind == NumberReach::Kind::kCut ? std::string(found.whole) : "";
}

}  // namespace

TEST_CASE("a number goes on behind what was captured, in all the ways in which people write numbers") {
  CHECK(cut("loss=([\\d.]+)", "loss=3.1e-05") == "3.1e-05");
  CHECK(cut("loss=(\\d)", "loss=3.1e-05") == "3.1e-05");
  CHECK(cut("loss=(\\S+?)", "loss=0.226 x") == "0.226");
  CHECK(cut("loss=(\\d+)", "loss=12.5") == "12.5");
  CHECK(cut("loss=([\\d.]+)", "loss=1.0D-05") == "1.0D-05");
  CHECK(cut("loss=([\\d.]+)", "loss=1,234.56") == "1,234.56");
  CHECK(cut("loss=([\\d.]+),", "loss=1,234.56, acc=1") == "1,234.56");
  CHECK(cut("loss=([\\d.]+)", "loss=0,2265") == "0,2265");
  CHECK(cut("loss=([\\d.]+)", "loss=1.234,56") == "1.234,56");
  CHECK(cut("loss=(\\d+\\.\\d+)", "loss=1.234.567") == "1.234.567");
  CHECK(cut("loss=([\\d.]+)", "loss=12_345.5") == "12_345.5");
  CHECK(cut("loss=([\\d.]+)", "loss=1'234.5") == "1'234.5");
  CHECK(cut("loss=([\\d.]+)", "loss=1 234") == "1 234");
  CHECK(cut("loss: ([\\d.]+)", "loss: 1 234.56 acc") == "1 234.56");
  CHECK(cut("loss=([\\d.]+)",
            "loss=1\xC2\xA0"
            "234") ==
        "1\xC2\xA0"
        "234");
  CHECK(cut("loss=([\\d.]+)",
            "loss=1\xE2\x80\xAF"
            "234,5") ==
        "1\xE2\x80\xAF"
        "234,5");
  CHECK(cut("loss=([\\d.]+)", "loss=1.#INF") == "1.#INF");
  CHECK(cut("loss=([\\d.]+)", "loss=1.#QNAN ") == "1.#QNAN");
  CHECK(cut("loss=(\\d+)", "loss=0x1F") == "0x1F");
  CHECK(cut("loss=([\\d.]+)",
            "loss=3.1\xC3\x97"
            "10^-5") ==
        "3.1\xC3\x97"
        "10^-5");
}

TEST_CASE("powers of ten, complex numbers and durations are longer numbers") {
  for (const auto& [line, whole] :
       {std::pair{"x=5*10**-3", "5*10**-3"},
        {"x=5x10^-3 ", "5x10^-3"},
        {"x=5 x 10^{-3}", "5 x 10^{-3}"},
        {"x=5 * 10**(-3)", "5 * 10**(-3)"},
        {"x=5 \xC2\xB7 10\xE2\x81\xBB\xC2\xB3,", "5 \xC2\xB7 10\xE2\x81\xBB\xC2\xB3"},
        {"x=10^-3", "10^-3"},
        {"x=2**10", "2**10"},
        {"x=0.5+0.1j", "0.5+0.1j"},
        {"x=0.5-1e-3j)", "0.5-1e-3j"},
        {"x=1m23s", "1m23s"},
        {"x=1h 5min left", "1h 5min"},
        {"x=2d 12h", "2d 12h"},
        {"x=1 min 30 s", "1 min 30 s"},
        {"x=2 min 5 sec left", "2 min 5 sec"},
        {"x=1 h 2 min", "1 h 2 min"},
        {"x=5 m 30 s", "5 m 30 s"},
        {"x=3 ms 20 us", "3 ms 20 us"},
        {"x=1hr 2min", "1hr 2min"},
        {"x=3min 20.5s", "3min 20.5s"},
        {"x=1 h 2 m 3 s", "1 h 2 m 3 s"},
        {"x=1\xC2\xA0min 30\xC2\xA0s", "1\xC2\xA0min 30\xC2\xA0s"},
        {"x=1 day, 2:03:04", "1 day, 2:03:04"},
        {"x=0.5 + 0.1j", "0.5 + 0.1j"},
        {"x=0.5 - 0.1j", "0.5 - 0.1j"},
        {"x=0.5+0.1im", "0.5+0.1im"},
        {"x=0.5 + 0.1im", "0.5 + 0.1im"},
        {"x=0.5j", "0.5j"},
        {"x=1 1/2", "1 1/2"},
        {"x=1\xC2\xBD", "1\xC2\xBD"},
        {"x=2 ** 3", "2 ** 3"},
        {"x=5\xC2\xB2", "5\xC2\xB2"},
        {"x=5*1e-3", "5*1e-3"},
        {"x=5 * 1e-3", "5 * 1e-3"},
        {"x=5.10\xE2\x81\xBB\xC2\xB3", "5.10\xE2\x81\xBB\xC2\xB3"},
        {"x=0.5 e-3", "0.5 e-3"},
        {"x=5x10-3", "5x10-3"}}) {
    INFO(line);
    CHECK(cut("x=([\\d.]+)", line) == whole);
  }
  CHECK(cut("\\(([\\d.]+)", "(0.5+0.1j)") == "0.5+0.1j");
  const char* const plain = "x=([-+]?\\d*\\.?\\d+)";
  CHECK(cut(plain, "x=1.e-05") == "1.e-05");
  CHECK(cut(plain, "x=1.E+05") == "1.E+05");
  CHECK(cut(plain, "x=-1.e-05") == "-1.e-05");
  CHECK(reach(plain, "x=1.e+00").kind == NumberReach::Kind::kWhole);
}

TEST_CASE("a time is none of its numbers") {
  for (const auto& [line, whole] : {std::pair{"took 0:01:23", "0:01:23"},
                                    {"took 12:30 min", "12:30"},
                                    {"took 1:05.25, loss 3", "1:05.25"}}) {
    INFO(line);
    const NumberReach found = reach("took ([\\d.]+)", line);
    CHECK(found.kind == NumberReach::Kind::kTime);
    CHECK(found.whole == whole);
  }
  CHECK(cut("took (\\d)", "took 12:30") == "12:30");
}

TEST_CASE("what a count is a part of stands behind it like a unit") {
  for (const auto& [line, unit] : {std::pair{"right: 45/50", "/50"},
                                   {"right: 45/50, wrong: 5", "/50"},
                                   {"right: 1 / 3", "/ 3"},
                                   {"right: 45 / 50", "/ 50"},
                                   {"right: 45/ 50", "/ 50"},
                                   {"right: 1/2/3", "/2/3"},
                                   {"right: 3/10 loss 0.4", "/10"}}) {
    INFO(line);
    const NumberReach found = reach("right: (\\d+)", line);
    CHECK(found.kind == NumberReach::Kind::kUnit);
    CHECK(found.unit == unit);
  }
  // What stands behind the slash may be a second value.
  const NumberReach two = reach("loss ([\\d.]+)", "loss 0.5/0.6");
  CHECK(two.kind == NumberReach::Kind::kUnit);
  CHECK(two.whole == "0.5/0.6");
  CHECK(two.unit == "/");
}

TEST_CASE("a blank before a known unit changes nothing") {
  for (const auto& [line, unit] : {std::pair{"x=93.5 %", "%"},
                                   {"x=93.5 % 120 s", "%"},
                                   {"x=12 ms", "ms"},
                                   {"x=12 ms, y=3", "ms"},
                                   {"x=12 ms loss 0.5", "ms"},
                                   {"x=1.5 GB | 3", "GB"},
                                   {"x=3 it/s", "it/s"},
                                   {"x=30 ms/step - loss: 0.5", "ms/step"},
                                   {"x=93.5\xC2\xA0%", "%"},
                                   {"x=12\xE2\x80\xAFms", "ms"},
                                   {"x=12 percent", "percent"},
                                   {"x=1.5 M", "M"},
                                   {"x=10s 200ms/step", "s"},
                                   {"x=25m 300ms", "m"},
                                   {"x=5 \xC2\xB5s", "\xC2\xB5s"}}) {
    INFO(line);
    const NumberReach found = reach("x=([\\d.]+)", line);
    CHECK(found.kind == NumberReach::Kind::kUnit);
    CHECK(found.unit == unit);
  }
  CHECK(reach("x=([\\d.]+) ms", "x=12 ms").kind == NumberReach::Kind::kWhole);
}

TEST_CASE("a number may begin before what was captured") {
  CHECK(cut("loss=-?([\\d.]+)", "loss=-0.5") == "-0.5");
  CHECK(cut("loss.*?([\\d.]+)", "loss: -0.5") == "-0.5");
  CHECK(cut("loss.*?([\\d.]+)",
            "loss=\xE2\x88\x92"
            "0.5") ==
        "\xE2\x88\x92"
        "0.5");
  CHECK(cut("loss=.*(\\d+)", "loss=12") == "12");
}

TEST_CASE("what only looks like a longer number is whole") {
  for (const auto& [regex, line] : {std::pair{"loss=([\\d.]+)", "loss=0.5"},
                                    {"loss=([\\d.]+)", "loss=5."},
                                    {"loss=([\\d.]+)", "loss=5 e"},
                                    {"loss=([\\d.]+)", "loss=0.5, acc=1"},
                                    {"loss=([\\d.]+)", "loss=0.5,0.7"},
                                    {"loss=([\\d.]+)", "loss=0.5;0.7"},
                                    {"\\[(\\d+),", "[1,2,3]"},
                                    {"^(\\d+),", "12,345,0.5"},
                                    {"^\\d+,(\\d+)", "3,12,400"},
                                    {"loss=(\\S+)", "loss=3.1e-05"},
                                    {"date (\\d+)", "date 2024/01/15"},
                                    {"loss ([\\d.]+)", "loss 0.5/epoch"},
                                    {"Epoch (\\d+)/", "Epoch 10/100"},
                                    {"loss: ([\\d.]+)", "loss: 0.5 acc: 0.9"},
                                    {"loss: ([\\d.]+)", "loss: 0.5 - val_loss: 0.6"},
                                    {"\\| ([\\d.]+)", "| 0.5 | 0.6 |"},
                                    {"loss ([\\d.]+)", "loss 0.5, 0.6"},
                                    {"loss ([\\d.]+)", "loss 0.5 +- 0.1"},
                                    {"loss ([\\d.]+)", "loss 0.5-0.6"},
                                    {"x ([\\d.]+)", "x 0.5 s: 3"},
                                    {"x ([\\d.]+)", "x 0.5 min 0.1 max 0.9"},
                                    {"x ([\\d.]+)", "x 0.5 s=3"},
                                    {"x ([\\d.]+)", "x 0.5 h(t)=3"},
                                    {"x ([\\d.]+)", "x 0.5 train/acc 0.9"},
                                    {"x ([\\d.]+)", "x 0.5 of 1"},
                                    {"x ([\\d.]+)", "x 3 x 10 pixels"},
                                    {"x ([\\d.]+)", "x 3 * 4"},
                                    {"x ([\\d.]+)", "x 0.5 **0.3**"},
                                    {"x ([\\d.]+)", "x 0.5 - 3 items"},
                                    {"x ([\\d.]+)", "x 0.5 M: 3"},
                                    {"Epoch (\\d+)", "Epoch 1 4/9 loss=0.5"},
                                    {"x ([\\d.]+)", "x 0.5 e3"},
                                    {"x ([\\d.]+)", "x 0.5 | 0.6"},
                                    {"line (\\d+)", "line 12:5"},
                                    {"x ([\\d.]+)", "x 0.5:12"},
                                    {"(\\d+):\\d+", "12:30"},
                                    {"\\(([\\d.]+)\\+[\\d.]+j", "(0.5+0.1j)"},
                                    {"loss: (\\d+)", "loss: 5 12 3"},
                                    {"loss (\\d+) ", "loss 5 123.4"},
                                    {"epoch-(\\d+)", "epoch-3"},
                                    {"step=0*(\\d+)", "step=0012"},
                                    {"x=(\\d+)", "x=12.0"},
                                    {"m=([\\d.]+)",
                                     "m=0.85\xC2\xB1"
                                     "0.02"},
                                    {"m=(nan|inf)", "m=inf"},
                                    {"m=([0-9]+ ?)", "m=1 234"}}) {
    INFO(line);
    CHECK(reach(regex, line).kind == NumberReach::Kind::kWhole);
  }
}

TEST_CASE("a unit stands behind a number, unless the regex asks for it") {
  for (const auto& [line, unit] : {std::pair{"x=93.5%", "%"},
                                   {"x=12ms", "ms"},
                                   {"x=1.5MB ", "MB"},
                                   {"x=3it/s", "it/s"},
                                   {"x=5\xC2\xB5s", "\xC2\xB5s"},
                                   {"x=3epochs", "epochs"}}) {
    INFO(line);
    const NumberReach found = reach("x=([\\d.]+)", line);
    CHECK(found.kind == NumberReach::Kind::kUnit);
    CHECK(found.unit == unit);
  }
  CHECK(reach("x=([\\d.]+)%", "x=93.5%").kind == NumberReach::Kind::kWhole);
  CHECK(reach("x=([\\d.]+)ms", "x=12ms").kind == NumberReach::Kind::kWhole);
}
