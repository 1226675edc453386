#include "tuner/metrics/log_sample.h"

#include <cmath>
#include <sstream>

#include "support/catch.h"
#include "tuner/core/error.h"

namespace tune::metrics {
namespace {

LogSample sample_of(const std::vector<MetricDefinition>& definitions, const std::string& log) {
  std::istringstream stream(log);
  return read_log_sample(definitions, stream);
}

TEST_CASE("a sample tells the line, step and value of every match", "[sample]") {
  const LogSample sample =
      sample_of({{"loss", "loss=([0-9.]+)", "epoch ([0-9]+)"}, {"acc", "acc=(\\S+)", {}}},
                "start\nepoch 3: loss=0.5 acc=0.1\n\nepoch 4: loss=0.25\nacc=nan");
  REQUIRE(sample.lines == 5);
  REQUIRE(sample.metrics.size() == 2);
  const SampleMetric& loss = sample.metrics[0];
  REQUIRE(loss.name == "loss");
  REQUIRE(loss.values.size() == 2);
  CHECK(loss.values[0].line == 2);
  CHECK(loss.values[0].point.step == 3);
  CHECK(loss.values[1].line == 4);
  CHECK(loss.values[1].point.value == 0.25);
  CHECK(loss.hint.empty());
  const SampleMetric& acc = sample.metrics[1];
  REQUIRE(acc.values.size() == 2);
  CHECK(acc.values[1].line == 5);
  CHECK(acc.values[1].point.step == 2);
  CHECK(std::isnan(acc.values[1].point.value));
}

TEST_CASE("lines are counted and read whole wherever the blocks end in which they are read", "[sample]") {
  const std::string filler(100'000, 'x');
  const LogSample sample =
      sample_of({{"loss", "loss=([0-9.]+)", {}}},
                "loss=0.5\n" + filler + "\n\n" + filler.substr(0, 31'055) + "\rloss=0.25\nend\n");
  CHECK(sample.lines == 5);
  REQUIRE(sample.metrics.at(0).values.size() == 2);
  CHECK(sample.metrics[0].values[1].line == 4);
  CHECK(sample.metrics[0].values[1].point.value == 0.25);
}

TEST_CASE("a group that captures no number is shown with its text", "[sample]") {
  const LogSample sample = sample_of({{"mAP", "mAP=(\\(.*\\))", {}}}, "mAP=(0.52)\nnothing\nmAP=(n/a)\n");
  const SampleMetric& metric = sample.metrics.at(0);
  CHECK(metric.values.empty());
  REQUIRE(metric.misses.size() == 2);
  CHECK(metric.misses[0].line == 1);
  CHECK(metric.misses[0].captured == "(0.52)");
  CHECK(metric.misses[1].line == 3);
  CHECK_THAT(metric.hint,
             Catch::Matchers::Contains("line 1: ") && Catch::Matchers::Contains("which is not a number"));
}

TEST_CASE("a metric that matches nothing comes with a likely reason", "[sample]") {
  const LogSample sample = sample_of(
      {{"a", "Loss: ([0-9.]+)", {}}, {"b", "perplexity ([0-9]+)", {}}, {"c", "", {}}}, "x\nloss: 0.5\n");
  CHECK_THAT(sample.metrics[0].hint,
             Catch::Matchers::Contains("line 2") && Catch::Matchers::Contains("(?i)"));
  CHECK_THAT(sample.metrics[1].hint, Catch::Matchers::Contains("matches no line"));
  CHECK_THAT(sample.metrics[2].hint, Catch::Matchers::Contains("TUNE_METRIC"));
}

TEST_CASE("a number that is read only in part is a miss with its text", "[sample]") {
  const auto metric = [](const std::string& regex, const std::string& log) {
    return sample_of({{"loss", regex, {}}}, log).metrics.at(0);
  };
  const SampleMetric cut = metric("loss=([0-9.]+)", "loss=0.5\nloss=3.1e-05\nloss=2e-05\n");
  CHECK(cut.values.size() == 1);
  REQUIRE(cut.misses.size() == 2);
  CHECK(cut.misses[0].line == 2);
  CHECK_THAT(cut.misses[0].text, Catch::Matchers::Contains("the regex reads 3.1 of 3.1e-05"));
  CHECK(cut.notices.empty());  // the misses say it
  REQUIRE(cut.unread_end);
  CHECK(cut.unread_end->line == 3);
  CHECK_FALSE(metric("loss=(\\S+)", "loss=?\nloss=1\n").unread_end);
  const SampleMetric unit = metric("loss=([0-9.]+)", "loss=7%\n");
  CHECK(unit.values.size() == 1);
  REQUIRE(unit.notices.size() == 1);
  CHECK_THAT(unit.notices[0], Catch::Matchers::Contains("line 1: the regex reads 7 of 7%"));
  const std::string none = metric("loss=([0-9.]+)", "loss=1,234\n").hint;
  CHECK_THAT(none, Catch::Matchers::Contains("line 1: the regex reads 1 of 1,234"));
  CHECK(metric("loss=([0-9.]+)", "loss=1\n").notices.empty());
}

TEST_CASE("a step regex that matches nothing, and steps that are none, are told", "[sample]") {
  const LogSample silent = sample_of({{"loss", "loss=(\\S+)", "epoch (\\d+)"}}, "Epoch: 1 loss=1\n");
  REQUIRE(silent.metrics[0].notices.size() == 1);
  CHECK_THAT(silent.metrics[0].notices[0], Catch::Matchers::Contains("step regex matched no line"));
  const LogSample neither =
      sample_of({{"loss", "loss: (\\S+)", "epoch (\\d+)"}, {"acc", "acc: (\\S+)", "Epoch: (\\d+)"}},
                "Epoch: 1 loss=1\n");
  CHECK_THAT(neither.metrics[0].hint, Catch::Matchers::Contains("matches no line"));
  CHECK(neither.metrics[0].notices == std::vector<std::string>{"its step regex matches no line either"});
  CHECK(neither.metrics[1].notices.empty());
  const LogSample odd =
      sample_of({{"loss", "loss=(\\S+)", "epoch (\\S+)"}}, "epoch 1 loss=1\nepoch 10/100 loss=1\n");
  REQUIRE(odd.metrics[0].notices.size() == 1);
  CHECK_THAT(odd.metrics[0].notices[0], Catch::Matchers::Contains("line 2: the step \"10/100\""));
  const LogSample bad = sample_of({}, "x\nTUNE_METRIC {]\n");
  REQUIRE(bad.notices.size() == 1);
  CHECK_THAT(bad.notices[0], Catch::Matchers::Contains("line 2: a TUNE_METRIC line"));
}

TEST_CASE("colour codes and backspaces are taken out of a sample too", "[sample]") {
  const LogSample sample =
      sample_of({{"loss", "val: ([\\d.]+)", {}}}, "\x1b[32mval: \x1b[1m0.5000\x1b[0m\nval: 9\b7\n");
  REQUIRE(sample.metrics[0].values.size() == 2);
  CHECK(sample.metrics[0].values[0].point.value == 0.5);
  CHECK(sample.metrics[0].values[1].point.value == 7);
}

TEST_CASE("names that only TUNE_METRIC lines have are shown too", "[sample]") {
  const LogSample sample = sample_of({}, "TUNE_METRIC {\"name\":\"f1\",\"value\":0.5,\"step\":7}\n");
  REQUIRE(sample.metrics.size() == 1);
  CHECK(sample.metrics[0].name == "f1");
  CHECK(sample.metrics[0].values.at(0).point.step == 7);
}

TEST_CASE("every redrawing of a progress bar is matched, and the line number is the file's", "[sample]") {
  const LogSample sample =
      sample_of({{"loss", "loss=([0-9.]+)", {}}}, "head\r\nloss=3\rloss=2\rloss=1\r\ntail\n");
  REQUIRE(sample.lines == 3);
  REQUIRE(sample.metrics[0].values.size() == 3);
  for (const SampleValue& value : sample.metrics[0].values) CHECK(value.line == 2);
}

TEST_CASE("an empty log has no values, and a bad regex is refused", "[sample]") {
  CHECK(sample_of({{"loss", "loss=([0-9.]+)", {}}}, "").metrics.at(0).values.empty());
  CHECK_THROWS_AS(sample_of({{"loss", "loss=(", {}}}, "x\n"), Error);
}

}  // namespace
}  // namespace tune::metrics
