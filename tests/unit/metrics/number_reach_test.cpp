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
                                    {"Epoch (\\d+)", "Epoch 10/100"},
                                    {"loss: (\\d+)", "loss: 5 12 3"},
                                    {"loss (\\d+) ", "loss 5 123.4"},
                                    {"epoch-(\\d+)", "epoch-3"},
                                    {"step=0*(\\d+)", "step=0012"},
                                    {"x=(\\d+)", "x=12.0"},
                                    {"t=(\\d+)", "t=12:30"},
                                    {"m=([\\d.]+)",
                                     "m=0.85\xC2\xB1"
                                     "0.02"},
                                    {"m=(nan|inf)", "m=inf"},
                                    {"m=([0-9]+ ?)", "m=1 234"}}) {
    INFO(line);
    CHECK(reach(regex, line).kind == NumberReach::Kind::kWhole);
  }
}

TEST_CASE("a unit stands directly behind a number, unless the regex asks for it") {
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
