#include "tuner/metrics/metric_reader.h"

#include <algorithm>
#include <cmath>

#include "support/catch.h"
#include "tuner/core/error.h"
#include "tuner/core/line_splitter.h"

using tune::Error;
using tune::LineSplitter;
using tune::MetricDefinition;
using tune::metrics::Match;
using tune::metrics::MetricReader;

namespace {

std::vector<std::string> split(const std::vector<std::string>& pieces) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
  for (const std::string& piece : pieces) splitter.feed(piece, keep);
  splitter.finish(keep);
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

TEST_CASE("a number that a regex cuts is no value, and is told of once") {
  MetricReader reader({{"loss", "loss=([0-9.]+)", std::nullopt}});
  CHECK(reader.read("loss=0.5").size() == 1);
  CHECK(reader.take_notices().empty());
  CHECK(reader.read("loss=3.1e-05").empty());
  REQUIRE(reader.unread().size() == 1);
  CHECK(reader.unread()[0].captured == "3.1");
  const auto notices = reader.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].metric == "loss");
  CHECK(notices[0].about == "value");
  CHECK_THAT(notices[0].text, Catch::Matchers::Contains("the regex reads 3.1 of 3.1e-05: capture all of it"));
  CHECK(reader.read("loss=2.1e-05").empty());
  CHECK(reader.unread().size() == 1);
  CHECK(reader.take_notices().empty());
  CHECK(reader.read("loss=0.25")[0].point.step == 2);
  CHECK(reader.unread().empty());
}

TEST_CASE("what a regex captures and cannot be read is quoted") {
  for (const auto& [line, captured] : {std::pair{"loss=tensor(nan)", "tensor(nan)"},
                                       {"loss=tensor(0.5)", "tensor(0.5)"},
                                       {"loss=nan(ind)", "nan(ind)"},
                                       {"loss=1.#INF", "1.#INF"},
                                       {"loss=1,234.56", "1,234.56"},
                                       {"loss=0,5", "0,5"},
                                       {"loss=50%", "50%"},
                                       {"loss=[0.5]", "[0.5]"},
                                       {"loss=12ms", "12ms"},
                                       {"loss=0.5,", "0.5,"},
                                       {"loss=0.5/1.0", "0.5/1.0"},
                                       {"loss=\xE2\x88\x92"
                                        "1",
                                        "\xE2\x88\x92"
                                        "1"}}) {
    INFO(line);
    MetricReader reader({{"loss", "loss=(\\S+)", std::nullopt}});
    CHECK(reader.read(line).empty());
    REQUIRE(reader.unread().size() == 1);
    CHECK(reader.unread()[0].name == "loss");
    CHECK(reader.unread()[0].captured == captured);
    const auto notices = reader.take_notices();
    REQUIRE(notices.size() == 1);
    CHECK_THAT(notices[0].text, Catch::Matchers::Contains("\"" + std::string(captured) + "\""));
  }
}

TEST_CASE("a group that took no part in the match is an unreadable value") {
  MetricReader reader({{"a", "a=(\\d+)|b=(\\d+)", std::nullopt}});
  CHECK(reader.read("b=1").empty());
  CHECK(reader.unread().size() == 1);
}

TEST_CASE("nan and inf that a group of digits passes over are unreadable values, not silence") {
  for (const auto& [regex, line] : {std::pair{"loss=([0-9.]+)", "epoch 3 loss=nan"},
                                    {"loss=([0-9.]+)", "loss=-Infinity acc=1"},
                                    {"loss: tensor\\(([\\d.]+)\\)", "loss: tensor(nan)"},
                                    {"loss: ([\\d.]+)", "loss: tensor(nan, device=0)"},
                                    {"(?:val|test) (?P<x>(\\d|\\.)+)", "val NaN"},
                                    {"loss=([0-9.]+)", "loss=-1.#IND"}}) {
    INFO(line);
    MetricReader reader({{"loss", regex, std::nullopt}});
    CHECK(reader.read(line).empty());
    REQUIRE(reader.unread().size() == 1);
    CHECK_THAT(reader.take_notices().at(0).text, Catch::Matchers::Contains("the regex passes over"));
  }
  MetricReader reader({{"loss", "loss=([0-9.]+)", std::nullopt}, {"all", "all=(\\S+)", std::nullopt}});
  for (const char* line :
       {"loss=information", "loss=nano", "loss=?", "loss=", "floss=0.5 loss=nan", "all=nan"}) {
    INFO(line);
    reader.read(line);
    CHECK(reader.unread().empty());
  }
}

TEST_CASE("a unit behind a number is told of once, and a number in another unit is no value") {
  MetricReader reader({{"time", "time=([0-9.]+)", std::nullopt}});
  CHECK(reader.read("time=980ms").at(0).point.value == 980);
  const auto notices = reader.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].about == "unit");
  CHECK_THAT(notices[0].text, Catch::Matchers::Contains("reads 980 of 980ms"));
  CHECK(reader.read("time=990ms").size() == 1);
  CHECK(reader.take_notices().empty());
  CHECK(reader.read("time=1.2s").empty());
  CHECK_THAT(reader.unread().at(0).text,
             Catch::Matchers::Contains("\"1.2s\"") && Catch::Matchers::Contains("\"ms\""));
  CHECK(reader.read("time=1").empty());
  CHECK(reader.read("time=nan").empty());
  CHECK(reader.read("time=995ms").size() == 1);
  MetricReader named({{"time", "time=([0-9.]+)(?:ms|s)", std::nullopt}});
  CHECK(named.read("time=980ms").size() == 1);
  CHECK(named.read("time=1.2s").size() == 1);
  CHECK(named.take_notices().empty());
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
  MetricReader reader({{"a", "a=(\\S+)", std::nullopt}}, {{{"a", 7}}, {}});
  CHECK(reader.read("a=1")[0].point.step == 8);
}

TEST_CASE("the step regex is tried on every line, and a step holds until the next") {
  MetricReader reader({{"a", "a=([0-9.]+)", "[Ee]poch (\\d+)"}, {"b", "b=([0-9.]+)", "[Ee]poch (\\d+)"}});
  CHECK(reader.read("Epoch 5/10").empty());
  CHECK(reader.read("a=1")[0].point.step == 5);
  CHECK(reader.read("b=1 epoch 6")[0].point.step == 6);
  CHECK(reader.read("a=2")[0].point.step == 6);
  CHECK(reader.take_notices().empty());
}

TEST_CASE("of a repeated step the later value counts, which is told once") {
  MetricReader reader({{"a", "a=([0-9.]+)", "epoch=([0-9]+)"}});
  CHECK(reader.read("epoch=5 a=1")[0].point.step == 5);
  CHECK(reader.read("a=2")[0].point.step == 5);
  const auto notices = reader.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].about == "repeat");
  CHECK_THAT(notices[0].text, Catch::Matchers::Contains("the step 5 comes again"));
  CHECK(reader.read("epoch=5 a=3")[0].point.step == 5);
  CHECK(reader.take_notices().empty());
}

// The steps of lines "epoch=... a=1", and what was said about them.
struct Steps {
  std::vector<std::int64_t> steps;
  std::string said;
};

static Steps steps_of(const std::vector<std::string>& epochs, tune::metrics::EarlierSteps earlier = {}) {
  MetricReader reader({{"a", "a=([0-9.]+)", "epoch=(\\S+)"}}, std::move(earlier));
  Steps result;
  for (const std::string& epoch : epochs)
    result.steps.push_back(
        reader.read((epoch.empty() ? "" : "epoch=" + epoch + " ") + "a=1").at(0).point.step);
  for (const auto& notice : reader.take_notices()) result.said += notice.about + ": " + notice.text + "\n";
  return result;
}

TEST_CASE("a step that is no whole number turns counting on, said once, and no value is lost") {
  using Numbers = std::vector<std::int64_t>;
  const Steps fractions = steps_of({"0.4", "0.8", "1.2", "1.6", "2", "2.4", "2.8", "3.2"});
  CHECK(fractions.steps == Numbers{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(fractions.said == "step: the step 0.4 is not a whole number: from this value on they are counted\n");
  CHECK(steps_of({"1", "2.0", "2.5", "3", "7"}).steps == Numbers{1, 2, 3, 4, 5});
  CHECK(steps_of({"10", "10.5", "11"}).steps == Numbers{10, 11, 12});
  CHECK(steps_of({"-1"}).said == "step: the step -1 is below 0: from this value on they are counted\n");
  CHECK(steps_of({"1e20"}).said ==
        "step: the step 1e20 is larger than a step can be (2^53): from this value on they are counted\n");
  CHECK(steps_of({"9007199254740992"}).steps == Numbers{9007199254740992});
  CHECK(steps_of({"9007199254740993"}).steps == Numbers{1});
  for (const char* odd : {"10/100", "-1", "ten", "1e30", "nan", "1,000"}) {
    INFO(odd);
    const Steps steps = steps_of({"3", odd, "4", "4"});
    CHECK(steps.steps == Numbers{3, 4, 5, 6});
    CHECK_THAT(steps.said, Catch::Matchers::Contains("the step") && Catch::Matchers::Contains(odd));
  }
}

// The values of lines "x=...", and what was said about them.
static std::pair<std::vector<double>, std::string> values_of(const std::vector<std::string>& lines) {
  MetricReader reader({{"x", "x=([0-9.]+)", std::nullopt}});
  std::pair<std::vector<double>, std::string> result;
  for (const std::string& line : lines)
    for (const Match& match : reader.read(line)) result.first.push_back(match.point.value);
  for (const auto& notice : reader.take_notices()) result.second += notice.about + ": " + notice.text + "\n";
  return result;
}

TEST_CASE("a value that was read in part is told once, and one with a unit or of a sum is taken") {
  using Values = std::vector<double>;
  const auto power = values_of({"x=5*10**-3", "x=4*10**-3", "x=0.5"});
  CHECK(power.first == Values{0.5});
  CHECK_THAT(power.second,
             Catch::Matchers::StartsWith("value: the regex reads 5 of 5*10**-3: let the program"));
  CHECK(std::count(power.second.begin(), power.second.end(), '\n') == 1);
  CHECK(values_of({"x=0:01:23"}).first.empty());
  const auto shares = values_of({"x=45/50", "x=46/50", "x=9/10"});
  CHECK(shares.first == Values{45, 46});
  CHECK_THAT(
      shares.second,
      Catch::Matchers::StartsWith("unit: the regex reads 45 of 45/50: write the rest behind the group") &&
          Catch::Matchers::Contains("reads \"9\" of \"9/10\", and before numbers with \"/50\" behind them"));
  const auto percent = values_of({"x=93.5 %", "x=94%", "x=0.95"});
  CHECK(percent.first == Values{93.5, 94});
  CHECK_THAT(percent.second,
             Catch::Matchers::Contains("reads \"0.95\", with nothing behind it, and before numbers "
                                       "with \"%\" behind them"));
  CHECK(values_of({"x=0.5 y: 3", "x=0.25, 0.5", "x=0.125 | 3"}).second.empty());
}

TEST_CASE("of a step, what stands behind a colon counts something else") {
  MetricReader reader({{"a", "a=([0-9.]+)", "epoch ([0-9]+)"}});
  CHECK(reader.read("epoch 3:10 a=1").at(0).point.step == 3);
  CHECK(reader.take_notices().empty());
}

TEST_CASE("steps never go back within an attempt") {
  using Numbers = std::vector<std::int64_t>;
  const Steps batches = steps_of({"10", "20", "30", "10", "20"});
  CHECK(batches.steps == Numbers{10, 20, 30, 31, 32});
  CHECK_THAT(batches.said, Catch::Matchers::Contains("the step 10 comes after 30"));
}

TEST_CASE("a counted step never collides with a captured one") {
  using Numbers = std::vector<std::int64_t>;
  const Steps steps = steps_of({"", "1", "2"});
  CHECK(steps.steps == Numbers{1, 2, 3});
  CHECK_THAT(steps.said, Catch::Matchers::Contains("the step 1 was counted before"));
  CHECK(steps_of({"0", "1", "2"}).said.empty());
}

TEST_CASE("an attempt may repeat captured steps of the one before, but goes on with counted ones") {
  using Numbers = std::vector<std::int64_t>;
  CHECK(steps_of({"3", "4"}, {{{"a", 4}}, {}}).steps == Numbers{3, 4});
  const Steps counted = steps_of({"2", "2.4"}, {{{"a", 5}}, {"a"}});
  CHECK(counted.steps == Numbers{6, 7});
  CHECK_THAT(counted.said, Catch::Matchers::Contains("as in the attempt before"));
}

TEST_CASE("a step regex that reads only a part of a step is told, unless the number is the same") {
  const auto said = [](const char* regex, const char* line) {
    MetricReader reader({{"a", "a=([0-9.]+)", regex}});
    CHECK(reader.read(line).size() == 1);
    const auto notices = reader.take_notices();
    return notices.empty() ? std::string() : notices.front().text;
  };
  CHECK_THAT(said("step (\\d+)", "step 1,000: a=1"),
             Catch::Matchers::Contains("of the step 1,000 the regex reads 1"));
  CHECK_THAT(said("epoch (\\d+)", "epoch 2.4: a=1"), Catch::Matchers::Contains("2.4"));
  CHECK(said("epoch (\\d+)", "epoch 2.0: a=1").empty());
  CHECK(said("epoch (\\d+)", "epoch 10/100 a=1").empty());
  CHECK(said("^(\\d+),", "12,345,a=1").empty());
}

TEST_CASE("a fraction on a line that gives the metric no value changes nothing") {
  MetricReader reader({{"eval", "eval_loss': ([^,]+),", "'epoch': ([0-9.]+)"}});
  CHECK(reader.read("{'loss': 0.9, 'epoch': 0.5}").empty());
  CHECK(reader.read("{'eval_loss': 0.8, 'epoch': 1.0}").at(0).point.step == 1);
  CHECK(reader.read("{'loss': 0.7, 'epoch': 1.5}").empty());
  CHECK(reader.read("{'eval_loss': 0.6, 'epoch': 2.0}").at(0).point.step == 2);
  CHECK(reader.take_notices().empty());
}

TEST_CASE("a step regex that matched no line is told at the end") {
  MetricReader reader({{"a", "a=([0-9.]+)", "epoch (\\d+)"}, {"b", "b=([0-9.]+)", "epoch (\\d+)"}});
  CHECK(reader.read("Epoch: 1 a=1").size() == 1);
  reader.finish();
  const auto notices = reader.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].metric == "a");
  CHECK_THAT(notices[0].text, Catch::Matchers::Contains("step regex matched no line"));
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

TEST_CASE("a malformed TUNE_METRIC line is no metric, and is told") {
  for (const char* line : {"TUNE_METRIC ", "TUNE_METRIC {", "TUNE_METRIC []", R"(TUNE_METRIC {"name":"a"})",
                           R"(TUNE_METRIC {"value":1})", R"(TUNE_METRIC {"name":"","value":1})",
                           R"(TUNE_METRIC {"name":3,"value":1})"}) {
    INFO(line);
    MetricReader reader({});
    CHECK(reader.read(line).empty());
    CHECK(reader.unread().empty());
    CHECK(reader.take_notices().size() == 1);
  }
  for (const char* line :
       {R"(TUNE_METRIC {"name":"a","value":"x"})", R"(TUNE_METRIC {"name":"a","value":[1]})",
        R"(TUNE_METRIC {"name":"a","value":null})"}) {
    INFO(line);
    MetricReader reader({});
    CHECK(reader.read(line).empty());
    REQUIRE(reader.unread().size() == 1);
    CHECK(reader.unread()[0].name == "a");
    CHECK(reader.take_notices().size() == 1);
  }
}

TEST_CASE("a TUNE_METRIC line with a key twice, or nested without end, gives nothing, and is told why") {
  const auto told = [](const std::string& json) {
    MetricReader reader({});
    CHECK(reader.read("TUNE_METRIC " + json).empty());
    const auto notices = reader.take_notices();
    REQUIRE(notices.size() == 1);
    return notices[0].text;
  };
  CHECK(told(R"({"name":"a","value":1,"value":2})").find("(the key \"value\" is there twice)") !=
        std::string::npos);
  CHECK(told(R"({"name":"a","value":NaN,"name":"b"})").find("(the key \"name\" is there twice)") !=
        std::string::npos);
  CHECK(told("{\"name\":\"a\",\"value\":" + std::string(30'000, '[') + std::string(30'000, ']') + "}")
            .find("(this is nested deeper than 100 levels)") != std::string::npos);
}

TEST_CASE("a TUNE_METRIC name with control characters is refused, and told of once") {
  for (const char* name : {R"(a\u0000)", R"(\u001b[31ma)", R"(a\nb)", R"(a\tb)", R"(\u007f)", R"(a\u0085)"}) {
    INFO(name);
    MetricReader reader({});
    const std::string line = "TUNE_METRIC {\"name\":\"" + std::string(name) + "\",\"value\":1}";
    CHECK(reader.read(line).empty());
    CHECK(reader.read(line).empty());
    const auto notices = reader.take_notices();
    REQUIRE(notices.size() == 1);
    CHECK_THAT(notices[0].text, Catch::Matchers::Contains("its name has control characters"));
  }
  MetricReader reader({});
  CHECK(reader.read(R"(TUNE_METRIC {"name":"mIoU (été) \u00b5","value":1})").size() == 1);
}

TEST_CASE("a greedy regex is told what to write in place of its .*") {
  const auto told = [](const char* regex, const char* line) {
    MetricReader reader({{"loss", regex, std::nullopt}});
    CHECK(reader.read(line).empty());
    return reader.take_notices().at(0).text;
  };
  CHECK_THAT(
      told(R"(loss.*(\d+))", "loss: 0.3421"),
      Catch::Matchers::StartsWith(
          R"(the regex reads 1 of 0.3421: capture all of it, as with ([-+.\w]+), and with .*? in place)"));
  CHECK_THAT(told(R"(loss: -?([\d.]+))", "loss: -0.5"),
             Catch::Matchers::StartsWith(
                 R"(the regex reads 0.5 of -0.5: capture all of it, as with ([-+.\w]+); such)"));
}

TEST_CASE("an epoch and its loss in two columns are read with their step") {
  MetricReader columns({{"loss", R"(^\d+ ([\d.]+))", R"(^(\d+))"}});
  CHECK(columns.read("3 123.456 0.9").at(0).point.step == 3);
  CHECK(columns.take_notices().empty());
}

TEST_CASE("the step of a TUNE_METRIC line obeys the same rules") {
  MetricReader reader({});
  const auto step = [&](const std::string& text) {
    return reader.read(R"(TUNE_METRIC {"name":"a","value":1,"step":)" + text + "}").at(0).point.step;
  };
  CHECK(step("3") == 3);
  CHECK(step("\"4\"") == 4);
  CHECK(step("4.5") == 5);
  CHECK(step("5") == 6);
  const auto notices = reader.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].about == "step");
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
