// `tune compare` with programs of one's own: a trainer and a test of a few lines.
#include <map>

#include "compare_fixture.h"

namespace tune::tests {
namespace {

// Its validation and its model's accuracy fall with the distance of x from 7, and vary with the seed.
constexpr const char* kOwnTrainer = R"py(
import os, random, sys, time
x, seed, wait = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
open("acts", "a").write("train\n")
time.sleep(wait)
value = 0.5 - 0.002 * abs(x - 7) + 0.01 * random.Random(seed).random()
open(os.environ["TUNE_OUTPUT_DIR"] + "/model", "w").write(str(value))
print("validation=%.6f" % value)
print("last=%.6f" % (1 - value))
)py";
constexpr const char* kOwnTest = R"py(
import os, sys, time
if os.path.exists("broken"): sys.exit("the test data is gone")
if os.path.exists("slow"):
    open("hung", "w").close()
    time.sleep(600)
open("acts", "a").write("test " + sys.argv[1].split("/store/")[1] + "\n")
print("accuracy=%.6f" % (float(open(sys.argv[1] + "/model").read()) - 0.1))
)py";

class ProgramFolder : public ComparedFolder {
 public:
  ProgramFolder() {
    document = OrderedJson::parse(R"json({
      "comparison": "c", "objective": {"metric": "validation", "goal": "maximize"},
      "command": ["python3", "train.py", "{{x}}", "{{seed}}", "{{wait}}"],
      "metrics": [{"name": "validation", "regex": "validation=(.+)"}, {"name": "loss", "regex": "last=(.+)"}],
      "test": {"command": ["python3", "evaluate.py", "{{output_dir}}"],
               "metrics": [{"name": "test:accuracy", "regex": "accuracy=(.+)"}],
               "metric": "test:accuracy", "goal": "maximize"},
      "fixed": {"x": 50, "wait": 0}, "seeds": 2, "limits": {"parallel": 1}, "resources": {"gpus_per_trial": 0},
      "controls": {"random_search": false},
      "approaches": [{"name": "plain", "fixed": {"x": 30}},
                     {"name": "searched", "search": {"parameters": {"x": {"type": "int", "min": 0, "max": 60}},
                                                     "strategy": {"name": "sobol"}, "limits": {"trials": 3}}}]})json");
    write("train.py", kOwnTrainer);
    write("evaluate.py", kOwnTest);
  }
  int tests() const {
    int count = 0;
    for (const auto& [act, times] : acts()) count += act == "train" ? 0 : times;
    return count;
  }
};

TEST_CASE(
    "programs of one's own are compared, tuned and not, and a program of one's own tests each model once",
    "[.compare]") {
  const ProgramFolder folder;
  const ShellResult dry = folder.compare("--dry-run");
  CAPTURE(dry.out, dry.err);
  REQUIRE(dry.exit_code == 0);
  CHECK(mentions(dry.out, "not known: a program of one's own is not measured beforehand"));
  CHECK(mentions(dry.out, "Then every model is tested, once, by python3 evaluate.py {{output_dir}}."));
  CHECK_FALSE(mentions(dry.out, "probing"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "store"));
  CHECK(folder.acts().empty());

  const Json result = folder.result();
  CAPTURE(result.dump(1));
  const Json tuned = row_of(result, "searched tuned"), best = row_of(result, "searched, best of 3 seeds");
  CHECK(row_of(result, "plain").at("runs").size() == 2);
  REQUIRE(tuned.at("runs").size() == 2);
  CHECK(tuned.at("score") > best.at("score"));
  CHECK(tuned.at("score").get<double>() ==
        Approx(tuned.at("fresh_validation").get<double>() - 0.1).margin(1e-6));
  CHECK(tuned.at("winner_score").is_number());
  CHECK(answer_of(result, "tuning helped").at("verdict") == "better");
  CHECK(answer_of(result, "at default hyperparameters").at("interval").is_array());
  CHECK(result.at("test").at("metric") == "test:accuracy");
  CHECK(result.at("test").at("scorings") == 1);
  CHECK(result.at("cost").at("predicting").at("device_hours").get<double>() > 0);
  CHECK(result.at("cost").at("predicted_device_hours").is_null());
  std::map<std::string, int> acts = folder.acts();
  CHECK(acts["train"] == 2 + 3 + 3 + 2);
  CHECK(folder.tests() == 2 + 3 + 1 + 2);
  CHECK(acts["test c.plain.defaults/trials/1/attempts/1/output"] == 1);

  const ShellResult again = folder.compare();
  CHECK(mentions(again.out, "tested once, after all training had ended"));
  CHECK(mentions(again.out, "This test gives one number a model and shows no images."));
  CHECK(folder.acts() == acts);
  REQUIRE(folder.shell("tune report c --store store").exit_code == 0);
  const std::string page = folder.shell("cat store/comparisons/c/report/report.html").out;
  CHECK(mentions(page, "Test:accuracy against what a row cost"));
  CHECK_FALSE(mentions(page, "Test images"));
  CHECK(folder.result("--score-again").at("test").at("scorings") == 2);
  CHECK(folder.tests() == 2 * 8);
  // What was frozen has to stay as it was.
  folder.write("store/c.plain.defaults/trials/1/attempts/1/output/model", "0.9");
  CHECK(folder.compare("--score-again").exit_code == 6);
}

TEST_CASE("a comparison of programs goes on where it was killed, and tests no model twice", "[.compare]") {
  const ProgramFolder folder;
  for (const char* point :
       {"training_begun", "trial_committed", "approach_study_ended", "before_freezing", "models_frozen",
        "scoring_begun", "prediction_recorded", "before_scoring", "scored"}) {
    const ShellResult dead = folder.compare("", std::string("TUNE_CRASH_AT=") + point);
    CAPTURE(point, dead.err);
    CHECK(dead.exit_code == 137);
  }
  folder.shell(
      "tune compare study.json --store store --score-again >out 2>err; touch slow\n"
      "tune compare study.json --store store --score-again >out 2>err & tune=$!\n" +
      wait_for("hung") + "kill -9 $tune; wait $tune; rm slow hung");
  const Json result = folder.result();
  // The first --score-again ended the scoring that had been begun.
  CHECK(result.at("test").at("scorings") == 2);
  CHECK(folder.acts()["train"] == 10);
  CHECK(folder.tests() == 2 * 8);
}

TEST_CASE("a test that fails leaves the scoring open, and the same command goes on", "[.compare]") {
  const ProgramFolder folder;
  folder.write("broken", "");
  const ShellResult failed = folder.compare();
  CAPTURE(failed.err);
  CHECK(failed.exit_code == 7);
  CHECK(mentions(failed.err, "the test of model-1 failed: exit code 1"));
  CHECK(
      mentions(folder.shell("cat store/comparisons/c/scorings/1/model-1.log").out, "the test data is gone"));
  REQUIRE(folder.shell("rm broken").exit_code == 0);
  CHECK(folder.result().at("test").at("scorings") == 1);
  CHECK(folder.tests() == 8);
}

TEST_CASE("trials may print the test's metric themselves, and one that does not ends the comparison at once",
          "[.compare]") {
  ProgramFolder folder;
  folder.document["test"] = {{"metric", "loss"}, {"goal", "minimize"}};
  const Json result = folder.result();
  CAPTURE(result.dump(1));
  const Json tuned = row_of(result, "searched tuned");
  CHECK(tuned.at("score").get<double>() ==
        Approx(1 - tuned.at("fresh_validation").get<double>()).margin(1e-6));
  CHECK(answer_of(result, "tuning helped").at("verdict") == "better");
  CHECK(answer_of(result, "tuning helped").at("difference") < 0);
  CHECK(folder.tests() == 0);
  CHECK(mentions(folder.compare().out, "less is better"));

  folder.document["comparison"] = "d";
  folder.document["metrics"][1]["regex"] = "nothing=(.+)";
  const ShellResult silent = folder.compare();
  CAPTURE(silent.err);
  CHECK(silent.exit_code == 7);
  CHECK(mentions(silent.err, "d.plain.defaults/1 has printed no finite value of \"loss\""));
  CHECK(folder.acts()["train"] == 10 + 2);
}

TEST_CASE("a built-in trainer and a program of one's own are compared by the same test", "[.compare]") {
  ComparisonFolder folder;
  folder.write(
      "train.sh",
      "echo map=0.45$TUNE_SEED; echo \"{\\\"value\\\": 0.45$TUNE_SEED}\" > $TUNE_OUTPUT_DIR/model.json");
  folder.write("test.sh", "echo t=$(sed 's/[^0-9.]//g' $1/model.json)");
  folder.document["trainer"].erase("test");
  folder.document["test"] = OrderedJson::parse(R"json({"command": ["sh", "test.sh", "{{output_dir}}"],
      "metrics": [{"name": "t", "regex": "t=(.+)"}], "metric": "t", "goal": "maximize"})json");
  folder.document["approaches"][1] = OrderedJson::parse(R"json({"name": "own", "command": ["sh", "train.sh"],
      "metrics": [{"name": "map", "regex": "map=(.+)"}]})json");
  const ShellResult dry = folder.compare("--dry-run");
  CAPTURE(dry.out, dry.err);
  REQUIRE(dry.exit_code == 0);
  CHECK(mentions(dry.out, "at least "));
  CHECK(mentions(dry.out, "The trainer was measured; nothing is known of what the test reads"));
  REQUIRE(folder.shell("rm acts").exit_code == 0);  // later probes answer otherwise
  const Json result = folder.result();
  CAPTURE(result.dump(1));
  const Json built_in = row_of(result, "scratch"), own = row_of(result, "own");
  CHECK(built_in.at("score").get<double>() ==
        Approx(built_in.at("fresh_validation").get<double>()).margin(1e-6));
  CHECK(own.at("score").get<double>() == Approx(0.45).margin(0.01));
  CHECK(built_in.at("predicted_device_hours").get<double>() == Approx(3 * 80.0 / 3600));
  CHECK(own.at("predicted_device_hours").is_null());
  CHECK(own.at("precision").is_null());
  for (const auto& [act, count] : folder.acts())
    CHECK((act == "probe" || act.starts_with("begin") || act.starts_with("end")));
}

TEST_CASE("a budget that does not pay for a search of a program keeps what its other runs need",
          "[.compare]") {
  ProgramFolder folder;
  // Long enough that starting and ending a process, which takes longer where others do, is a small part of
  // it.
  folder.document["fixed"]["wait"] = 0.8;
  folder.document["controls"]["best_of_seeds"] = false;
  folder.document["approaches"][1]["search"]["limits"]["trials"] = 60;
  folder.document["limits"]["gpu_hours"] = 24.0 / 3600;
  const ShellResult run = folder.compare();
  CAPTURE(run.err, run.out);
  CHECK(run.exit_code == 0);
  CHECK(mentions(run.err, "for lack of budget: c.searched.search: ended after "));
  const Json result = folder.result();
  CHECK(row_of(result, "searched").at("runs").size() == 2);
  // On a machine that is busy a run takes longer than the one by which its share was measured.
  CHECK(!row_of(result, "searched tuned").at("runs").empty());
}

}  // namespace
}  // namespace tune::tests
