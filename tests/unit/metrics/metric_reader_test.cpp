#include "tuner/metrics/metric_reader.h"

#include <cmath>

#include "support/catch.h"
#include "tuner/core/error.h"

using tune::Error;
using tune::MetricDefinition;
using tune::metrics::LineSplitter;
using tune::metrics::Match;
using tune::metrics::MetricReader;

namespace {

std::vector<std::string> split(const std::vector<std::string>& pieces, std::uint64_t* cut = nullptr) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
  for (const std::string& piece : pieces) splitter.feed(piece, keep);
  splitter.finish(keep);
  if (cut) *cut = splitter.cut_lines();
  return lines;
}

}  // namespace

TEST_CASE("a regex matches anywhere in a line and its first group is the value") {
  MetricReader reader({{"mAP", "mAP <score>=\\(([0-9.]+)\\) in ([0-9]+)", std::nullopt}});
  const auto matches = reader.read("[12:00] validation mAP <score>=(0.226400) in 14 s");
  REQUIRE(matches.size() == 1);
  CHECK(matches[0].name == "mAP");
  CHECK(matches[0].point.value == 0.2264);
  CHECK(reader.read("no metric here").empty());
}

TEST_CASE("a regex that cuts numbers is told of once") {
  MetricReader reader({{"loss", "loss=([0-9.]+)", std::nullopt}});
  CHECK(reader.read("loss=0.5")[0].warning.empty());
  const auto cut = reader.read("loss=3.1e-05");
  CHECK(cut[0].point.value == 3.1);
  CHECK(cut[0].warning.find("reads 3.1 of 3.1e-05") != std::string::npos);
  CHECK(reader.read("loss=2.1e-05")[0].warning.empty());
}

TEST_CASE("a step is the count of the metric's lines") {
  MetricReader reader({{"a", "a=(\\S+)", std::nullopt}, {"b", "b=(\\S+)", std::nullopt}});
  CHECK(reader.read("a=1")[0].point.step == 1);
  CHECK(reader.read("b=1")[0].point.step == 1);
  CHECK(reader.read("a=oops").empty());
  CHECK(reader.read("a=2")[0].point.step == 2);
  const auto both = reader.read("a=3 b=4");
  REQUIRE(both.size() == 2);
  CHECK(both[0].point.step == 3);
  CHECK(both[1].point.step == 2);
}

TEST_CASE("counting goes on after the steps of earlier attempts") {
  MetricReader reader({{"a", "a=(\\S+)", std::nullopt}}, {{"a", 7}});
  CHECK(reader.read("a=1")[0].point.step == 8);
}

TEST_CASE("a step regex gives the step, and counting goes on from it where it does not match") {
  MetricReader reader({{"a", "a=([0-9.]+)", "epoch=([0-9]+)"}});
  CHECK(reader.read("epoch=5 a=1")[0].point.step == 5);
  CHECK(reader.read("a=2")[0].point.step == 6);
  CHECK(reader.read("epoch=5 a=3")[0].point.step == 5);
}

TEST_CASE("a TUNE_METRIC line needs no regex") {
  MetricReader reader({});
  auto matches = reader.read(R"(TUNE_METRIC {"name":"validation:mAP","value":0.41,"step":3})");
  REQUIRE(matches.size() == 1);
  CHECK(matches[0].name == "validation:mAP");
  CHECK(matches[0].point.value == 0.41);
  CHECK(matches[0].point.step == 3);
  CHECK(reader.read(R"([rank0] TUNE_METRIC {"name":"validation:mAP","value":1})")[0].point.step == 4);
}

TEST_CASE("TUNE_METRIC takes non-finite values as Python and as this project write them") {
  MetricReader reader({});
  CHECK(std::isnan(reader.read(R"(TUNE_METRIC {"name":"a","value":NaN})").at(0).point.value));
  CHECK(std::isnan(reader.read(R"(TUNE_METRIC {"name":"a","value":"NaN"})").at(0).point.value));
  CHECK(reader.read(R"(TUNE_METRIC {"name": "a", "value": -Infinity})").at(0).point.value < 0);
  // Inside a text the word stays as it is.
  CHECK(reader.read(R"(TUNE_METRIC {"name":"a NaN \" NaN","value":Infinity})").at(0).name == "a NaN \" NaN");
}

TEST_CASE("a malformed TUNE_METRIC line is no metric") {
  MetricReader reader({});
  for (const char* line : {"TUNE_METRIC ", "TUNE_METRIC {", "TUNE_METRIC []", R"(TUNE_METRIC {"name":"a"})",
                           R"(TUNE_METRIC {"value":1})", R"(TUNE_METRIC {"name":"","value":1})",
                           R"(TUNE_METRIC {"name":3,"value":1})", R"(TUNE_METRIC {"name":"a","value":"x"})",
                           R"(TUNE_METRIC {"name":"a","value":[1]})"}) {
    INFO(line);
    CHECK(reader.read(line).empty());
  }
}

TEST_CASE("a metric is taken once from a line that names it twice") {
  MetricReader reader({{"a", "\"value\":([0-9]+)", std::nullopt}});
  const auto matches = reader.read(R"(TUNE_METRIC {"name":"a","value":5})");
  REQUIRE(matches.size() == 1);
  CHECK(matches[0].point.step == 1);
}

TEST_CASE("a trailing carriage return is dropped") {
  MetricReader reader({{"a", "a=([0-9.]+)$", std::nullopt}});
  CHECK(reader.read("a=1\r").size() == 1);
}

TEST_CASE("NUL bytes and invalid UTF-8 around a metric do no harm") {
  MetricReader reader({{"a", "a=([0-9.]+)", std::nullopt}, {"b", "b=([0-9.]+)", std::nullopt}});
  CHECK(reader.read(std::string_view("\0\xff\xfe a=1 \0 \x80 b=2\xf0", 16)).size() == 2);
}

TEST_CASE("hostile patterns on a long line stay linear and keep working") {
  MetricReader reader({{"a", "(a+)+$", std::nullopt},
                       {"b", "b=([0-9.]+)", std::nullopt},
                       {"c", "(x*)*(x*)*y", std::nullopt}});
  const std::string line = std::string(60'000, 'a') + "x b=0.5";
  const auto matches = reader.read(line);
  REQUIRE(matches.size() == 1);
  CHECK(matches[0].name == "b");
}

TEST_CASE("an unusable regex is refused by name") {
  CHECK_THROWS_WITH(MetricReader({{"val", "no group", std::nullopt}}),
                    Catch::Matchers::Contains("\"val\"") && Catch::Matchers::Contains("no group"));
  CHECK_THROWS_WITH(MetricReader({{"val", "(ok)", "bad"}}), Catch::Matchers::Contains("step"));
}

TEST_CASE("lines end at newlines and at lone carriage returns") {
  CHECK(split({"a\nb\r\nc\rd"}) == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(split({"10%\r20%\r", "30%\n"}) == std::vector<std::string>{"10%", "20%", "30%"});
}

TEST_CASE("a metric that is split at any byte over two reads is found once") {
  const std::string text = "epoch 1\nvalidation mAP <score>=(0.226400)\nend\n";
  for (std::size_t at = 0; at <= text.size(); ++at) {
    INFO(at);
    MetricReader reader({{"mAP", "<score>=\\(([0-9.]+)\\)", std::nullopt}});
    std::vector<Match> matches;
    for (const std::string& line : split({text.substr(0, at), text.substr(at)}))
      for (Match& match : reader.read(line)) matches.push_back(std::move(match));
    REQUIRE(matches.size() == 1);
    CHECK(matches[0].point.value == 0.2264);
  }
}

TEST_CASE("a line is cut at 64 kB once, and the cut is counted") {
  std::uint64_t cut = 0;
  const std::string huge(300'000, 'x');
  const auto lines = split({"start\n", huge, huge, "tail\nnext\n" + huge}, &cut);
  REQUIRE(lines.size() == 4);
  CHECK(lines[1].size() == tune::metrics::kLineLimit);
  CHECK(lines[2] == "next");
  CHECK(lines[3].size() == tune::metrics::kLineLimit);
  CHECK(cut == 2);
}

TEST_CASE("a line of exactly 64 kB is not cut") {
  std::uint64_t cut = 0;
  split({std::string(tune::metrics::kLineLimit, 'x') + "\n"}, &cut);
  CHECK(cut == 0);
}
