// Two objectives, with the real programs.
#include "study_fixture.h"

namespace tune::tests {
namespace {

// The larger x, the more accurate and the slower.
struct PairFolder : StudyFolder {
  explicit PairFolder(const std::string& trainer =
                          "echo accuracy=0.$1; echo latency=$1; "
                          "echo weights of $1 > $TUNE_OUTPUT_DIR/weights")
      : StudyFolder(trainer) {
    spec.erase("objective");
    spec["objectives"] = {{{"metric", "accuracy"}, {"goal", "maximize"}},
                          {{"metric", "latency"}, {"goal", "minimize"}}};
    spec["metrics"] = {{{"name", "accuracy"}, {"regex", "accuracy=([0-9.]+)"}},
                       {{"name", "latency"}, {"regex", "latency=([0-9.]+)"}}};
    spec["strategy"]["name"] = "auto";
    spec["limits"] = {{"trials", 6}, {"parallel", 2}};
  }
};

TEST_CASE("a study with two objectives finds a front, lists it, and promotes what is preferred") {
  PairFolder folder;
  folder.spec["promote"] = {{"model", "m"},
                            {"prefer", {{"best", "accuracy"}, {"with", {{"latency", {{"max", 999999}}}}}}}};
  const ShellResult ran = folder.run();
  CAPTURE(ran.out, ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(says(ran.err, ", new on the front"));
  CHECK(says(ran.out, "Front of accuracy and latency: 6 trials that no other one beats in both"));
  CHECK(says(ran.out, "Preferred (best accuracy with latency of at most 999999): trial"));
  CHECK(says(ran.out, "Promoted: m version 1"));
  const Json best = Json::parse(folder.shell("tune best s --store store --json").out);
  REQUIRE(best["front"].size() == 6);
  CHECK(best["trial"] == best["front"][0]["trial"]);
  CHECK(best["prefer"] == "best accuracy with latency of at most 999999");
  CHECK(folder.shell("grep -q weights store/models/m/current/weights").exit_code == 0);
  CHECK(says(folder.shell("tune trials s --store store").out, "front"));
  const ShellResult report =
      folder.shell("tune report s --store store --output page && grep -c chart-front page/*.html");
  CHECK(report.exit_code == 0);
}

TEST_CASE("a trial of a study with two objectives is explained by a model of each") {
  PairFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult told = folder.shell("tune explain s/6 --store store");
  CAPTURE(told.out);
  CHECK(says(told.out, "model of accuracy: Gaussian process of "));
  CHECK(says(told.out, "model of latency: Gaussian process of "));
  CHECK(says(told.out, "predicted latency: "));
  CHECK(says(told.out, "expected to add to what the front of "));
}

TEST_CASE("nothing is promoted where no trial keeps to the bounds, and the exit code says so") {
  PairFolder folder;
  folder.spec["promote"] = {{"model", "m"},
                            {"prefer", {{"best", "accuracy"}, {"with", {{"latency", {{"max", 5}}}}}}}};
  const ShellResult ran = folder.run();
  CHECK(ran.exit_code == 1);
  CHECK(says(ran.out, "Not promoted: no trial of the front keeps to promote.prefer"));
  CHECK(says(ran.out, "the nearest is trial"));
  // Another preference is no other study.
  folder.spec["promote"]["prefer"] = {{"weight", 0.5}};
  CHECK(folder.run().exit_code == 0);
}

TEST_CASE("a study with two objectives that was killed goes on with the same front") {
  PairFolder folder;
  REQUIRE(folder.run("--name whole").exit_code == 0);
  CHECK(folder.run("--name s", "TUNE_CRASH_AT=trial_ended").exit_code != 0);
  for (int i = 0; i < 3 && folder.run("--name s").exit_code != 0; ++i) {
  }
  const Json whole = Json::parse(folder.shell("tune best whole --store store --json").out);
  const Json resumed = Json::parse(folder.shell("tune best s --store store --json").out);
  CHECK(whole["front"].size() == 6);
  CHECK(resumed["front"].size() == 6);
}

TEST_CASE("the time that trials take is an objective that no program prints") {
  PairFolder folder("echo accuracy=0.$1; sleep 0.3");
  folder.spec["objectives"][1]["metric"] = "device_seconds";
  folder.spec["metrics"].erase(1);
  folder.spec["limits"]["trials"] = 2;
  REQUIRE(folder.run().exit_code == 0);
  const Json trials = Json::parse(folder.shell("tune trials s --store store --json").out);
  for (const Json& trial : trials["trials"]) {
    REQUIRE(trial["values"].size() == 2);
    CHECK(trial["values"][1].get<double>() >= 0.3);
    CHECK(trial["values"][1].get<double>() < 60);
  }
}

TEST_CASE("another program tells two values, and is answered the front") {
  PairFolder folder;
  folder.spec["promote"] = {{"model", "m"}, {"prefer", {{"weight", 0.5}}}};
  folder.write("requests", R"({"ask": 2}
{"report": {"trial": 1, "metric": "latency", "value": 30}}
{"tell": {"trial": 1, "values": [0.9, 30]}}
{"tell": {"trial": 2, "value": 0.8}}
{"tell": {"trial": 2, "values": [0.8]}}
{"tell": {"trial": 2, "values": [0.8, 10]}}
{"add": {"parameters": {"x": 100000}, "values": [0.7, null]}}
{"best": true})");
  const ShellResult said = folder.shell("tune ask-tell --spec search.json --store store < requests");
  CAPTURE(said.out, said.err);
  CHECK(said.exit_code == 0);
  CHECK(says(
      said.out,
      R"({"error":{"message":"tell: the study has two objectives; give \"values\": [accuracy, latency]"}})"));
  CHECK(says(said.out, "\\\"values\\\" is a list of two, one an objective, not [0.8]"));
  CHECK(says(said.out, R"("front":[{"trial":1,"values":[0.9,30.0],"parameters":)"));
  const Json best = Json::parse(folder.shell("tune best s --store store --json").out);
  CHECK(best["front"].size() == 2);
}

}  // namespace
}  // namespace tune::tests
