// The gate's judge, with a tune-train of a few shell lines.
#include "tuner/engine/study/version_judge.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/error.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

// A tune-train on the path that knows what the gate asks for. What it answers lies in files beside it.
class GateTrainer {
 public:
  GateTrainer() : before_(std::getenv("PATH")) {
    write("describe", R"({"schema": 1, "tasks": [{"name": "image_classification", "commands": ["score"],
          "primary": {"name": "accuracy", "files": "predictions"}}, {"name": "language_model"}]})");
    write("evaluate", R"({"schema": 1, "accuracy": 0.9, "loss": 0.5, "classes": [], "odd": "NaN"})");
    write("predict", R"({"schema": 1, "form": "a folder a class"})");
    write("tune-train",
          "#!/bin/sh\n"
          "cd \"$(dirname \"$0\")\"\n"
          "echo \"$@\" >> calls\n"
          "case \"$*\" in *--help*) echo '  --labels FILE   classes'; exit;; esac\n"
          "test ! -e fails-$1 || { echo '{\"error\": {\"message\": \"it is broken\"}}' >&2; exit 65; }\n"
          "cat $1\n");
    ::chmod((folder_.path() / "tune-train").c_str(), 0755);
    ::setenv("PATH", (folder_.path().string() + ":" + before_).c_str(), 1);
    for (const char* version : {"one", "two"})
      write(std::string(version) + "/model.json", R"({"task": "image_classification"})");
    write("smoke.csv", "a");
  }
  ~GateTrainer() { ::setenv("PATH", before_.c_str(), 1); }
  GateTrainer(const GateTrainer&) = delete;
  GateTrainer& operator=(const GateTrainer&) = delete;

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name) << text;
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  std::string calls() const {
    std::ifstream stream(path("calls"));
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  GateVerdict judge(const std::string& require, const fs::path& scores = {}, bool has_other = true,
                    store::Approval approval = store::Approval::kPending) const {
    GateCase subject;
    subject.version.model = "m";
    subject.version.version = 2;
    subject.version.approval = approval;
    subject.folder = path("two");
    if (has_other) {
      subject.against = store::ModelVersion{};
      subject.against->version = 1;
      subject.against_folder = path("one");
    }
    JudgeHooks hooks;
    hooks.resources.gpus_per_trial = 0;
    hooks.scores = scores;
    return version_judge(std::move(hooks))(requirement_from(Json::parse(require), folder_.path()), subject);
  }

 private:
  tests::TemporaryFolder folder_;
  std::string before_;
};

// Resamples whose difference has the mean `by` and the given deviation.
std::string score_of(double ours, double theirs, double spread) {
  Json first = Json::array(), second = Json::array();
  for (int i = 0; i < 200; ++i) {
    first.push_back(ours + (i % 2 == 0 ? spread : -spread));
    second.push_back(theirs);
  }
  return Json{{"schema", 1},
              {"results", {{{"accuracy", ours}}, {{"accuracy", theirs}}}},
              {"resamples", {{"count", 200}, {"groups", 101}, {"accuracy", {first, second}}}}}
      .dump();
}

TEST_CASE("numbers of held-out data keep to their bounds, or the version is refused with all of them") {
  const GateTrainer trainer;
  const GateVerdict good = trainer.judge(
      R"({"test": "data", "options": ["--part", "test"], "metrics": {"accuracy": {"min": 0.9}, "loss": {"max": 1}}})");
  CHECK(good.passes);
  CHECK(good.reason == "it passed the gate: accuracy is 0.9; loss is 0.5");
  CHECK(good.evidence.at("metrics").at(0).at("value") == 0.9);
  CHECK(good.evidence.at("test") == trainer.path("data").string());
  CHECK_THAT(trainer.calls(),
             Contains("evaluate --json --model " + trainer.path("two").string() + " --data " +
                      trainer.path("data").string() + " --part test --threads "));
  const GateVerdict bad = trainer.judge(
      R"({"test": "data", "metrics": {"accuracy": {"min": 0.95}, "loss": {"max": 0.4}, "odd": {"max": 1}}})");
  CHECK_FALSE(bad.passes);
  CHECK(bad.reason == "the gate refused it: accuracy is 0.9, below 0.95; loss is 0.5, above 0.4; odd is nan");
  CHECK_THROWS_WITH(trainer.judge(R"({"test": "data", "metrics": {"acuracy": {"min": 0.9}}})"),
                    Contains("gives no number \"acuracy\""));
  trainer.write("fails-evaluate", "");
  CHECK_THROWS_WITH(trainer.judge(R"({"test": "data", "metrics": {"accuracy": {"min": 0.9}}})"),
                    "tune-train evaluate failed: it is broken");
}

TEST_CASE("a version is not worse where the interval of the difference lies above the margin") {
  const GateTrainer trainer;
  const std::string require =
      R"({"test": "data", "not_worse": {"metric": "accuracy", "margin": 0.02, "resamples": 200}})";
  trainer.write("score", score_of(0.80, 0.80, 0.005));  // +- 0.0099
  const GateVerdict good = trainer.judge(require);
  CHECK(good.passes);
  const Json& found = good.evidence.at("not_worse");
  CHECK(found.at("against") == 1);
  CHECK(found.at("low").get<double>() == Approx(-0.00994).margin(2e-4));
  CHECK(found.at("high").get<double>() == Approx(0.00994).margin(2e-4));
  CHECK(found.at("values") == Json{0.80, 0.80});
  CHECK_THAT(trainer.calls(), Contains("--resamples 200"));
  CHECK_THAT(trainer.calls(), !Contains("--labels"));  // the version has no labels.json
  trainer.write("score", score_of(0.80, 0.80, 0.02));  // +- 0.0397
  const GateVerdict bad = trainer.judge(require);
  CHECK_FALSE(bad.passes);
  CHECK_THAT(bad.reason, Contains("95 % interval -0.03") && Contains("must not be by 0.02"));
  trainer.write("score", score_of(0.75, 0.80, 0.001));
  CHECK_FALSE(trainer.judge(require).passes);
  // With a margin of 0 it must be better.
  const std::string better = R"({"test": "data", "not_worse": {"metric": "accuracy", "margin": 0}})";
  trainer.write("score", score_of(0.80, 0.80, 0));
  CHECK_FALSE(trainer.judge(better).passes);
  trainer.write("score", score_of(0.81, 0.80, 0.001));
  CHECK(trainer.judge(better).passes);
  CHECK(trainer.judge(require, {}, /*has_other=*/false).passes);
  trainer.write("two/labels.json", "[]");
  trainer.judge(require);
  CHECK_THAT(trainer.calls(), Contains("--labels " + trainer.path("two/labels.json").string()));
  CHECK_THROWS_WITH(trainer.judge(R"({"test": "data", "not_worse": {"metric": "loss", "margin": 0}})"),
                    Contains("gives no resamples of \"loss\""));
  trainer.write("one/model.json", R"({"task": "language_model"})");
  CHECK_THAT(trainer.judge(require).reason, Contains("tune-train cannot compare them"));
}

TEST_CASE("scores that the trainer left are compared example by example") {
  const GateTrainer trainer;
  const std::string require =
      R"({"scores": "s.json", "metrics": {"accuracy": {"min": 0.5}}, "not_worse": {"metric": "accuracy", "margin": 0.1}})";
  CHECK_THAT(trainer.judge(require).reason, Contains("version 2 brings no scores: there is no file"));
  Json ours{{"accuracy", 0.75}}, theirs{{"accuracy", 0.74}};
  for (int i = 0; i < 100; ++i) {
    ours["examples"]["accuracy"].push_back(i % 4 == 0 ? 0 : 1);
    theirs["examples"]["accuracy"].push_back(i % 4 == 0 || i == 1 ? 0 : 1);
  }
  trainer.write("two/s.json", ours.dump());
  trainer.write("one/s.json", theirs.dump());
  const GateVerdict good = trainer.judge(require);
  CAPTURE(good.reason);
  CHECK(good.passes);
  CHECK(good.evidence.at("not_worse").at("difference").get<double>() == Approx(0.01));
  // The mean difference 0.01 +- t(99) 0.1 / sqrt(100).
  CHECK(good.evidence.at("not_worse").at("low").get<double>() == Approx(0.01 - 1.98422 * 0.01).epsilon(1e-3));
  CHECK(good.evidence.at("scores").at("2").at("sha256").get<std::string>().size() == 64);
  CHECK(trainer.calls().empty());  // nothing was trained or measured
  // What is better the smaller it is.
  const std::string less =
      R"({"scores": "s.json", "not_worse": {"metric": "accuracy", "margin": 0.005, "goal": "minimize"}})";
  CHECK_FALSE(trainer.judge(less).passes);
  theirs["examples"]["accuracy"].push_back(1);
  trainer.write("one/s.json", theirs.dump());
  CHECK_THAT(trainer.judge(require).reason, Contains("100 examples, and version 1 on 101"));
  trainer.write("one/s.json", R"({"accuracy": 1})");
  CHECK_THAT(trainer.judge(require).reason, Contains("list no \"examples\" of \"accuracy\""));
  trainer.write("two/s.json", R"({"acc": 1})");
  CHECK_THAT(trainer.judge(R"({"scores": "s.json", "metrics": {"accuracy": {"min": 0.5}}})").reason,
             Contains("its scores have no number \"accuracy\", but acc"));
  fs::remove(trainer.path("two/s.json"));
  fs::create_symlink("/etc/passwd", trainer.path("two/s.json"));
  CHECK_THAT(trainer.judge(require).reason, Contains("brings no scores"));
}

TEST_CASE("a person's file of scores counts in place of what the requirement names") {
  const GateTrainer trainer;
  trainer.write("mine.json", R"({"accuracy": 0.6})");
  const std::string require = R"({"test": "data", "metrics": {"accuracy": {"min": 0.5}}})";
  const GateVerdict good = trainer.judge(require, trainer.path("mine.json"));
  CHECK(good.passes);
  CHECK(good.evidence.at("scores").at("2").at("file") == trainer.path("mine.json").string());
  CHECK(trainer.calls().empty());
  CHECK_THROWS_WITH(trainer.judge(require, trainer.path("none.json")), Contains("there is no file"));
  CHECK_THROWS_WITH(trainer.judge(R"({"test": "data", "not_worse": {"metric": "accuracy", "margin": 0}})",
                                  trainer.path("mine.json")),
                    Contains("is of one version"));
}

TEST_CASE("smoke inputs must be predicted on without failing, and approval is a person's") {
  const GateTrainer trainer;
  CHECK(trainer.judge(R"({"smoke": ["smoke.csv"]})").passes);
  CHECK_THROWS_WITH(trainer.judge(R"({"smoke": ["none.csv"]})"), Contains("which is not there"));
  trainer.write("fails-predict", "");
  const GateVerdict bad = trainer.judge(R"({"smoke": ["smoke.csv"], "approval": "approved"})");
  CHECK_FALSE(bad.passes);
  CHECK(bad.reason == "the gate refused it: its approval is pending; it does not predict on " +
                          trainer.path("smoke.csv").string() + ": it is broken");
  CHECK(bad.evidence.at("smoke").at(0).at("message") == "it is broken");
  CHECK(trainer.judge(R"({"approval": "approved"})", {}, true, store::Approval::kApproved).passes);
}

TEST_CASE("a set of one example tells no two versions apart") {
  CHECK_THROWS_WITH(resampled_difference(1, 0, {1, 1}, {0, 0}, 1, 0.95), Contains("too small"));
  CHECK_THROWS_WITH(resampled_difference(1, 0, {1, -1}, {0, 0}, 9, 0.95), Contains("too small"));
  const PairedDifference exact = resampled_difference(1, 0.5, {1, 1}, {0.5, 0.5}, 9, 0.95);
  CHECK(exact.low == 0.5);
  CHECK(exact.high == 0.5);
}

}  // namespace
}  // namespace tune::engine
