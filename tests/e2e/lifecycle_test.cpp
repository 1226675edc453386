// What becomes of a study's trials and of its space: repeated, explained, deleted, amended.
#include "e2e/study_fixture.h"

namespace tune::tests {
namespace {

// The loss depends on the seed too.
constexpr const char* kSeeded =
    "for e in 1 2 3; do echo loss=0.$1$TUNE_SEED$e; done; echo w > $TUNE_OUTPUT_DIR/weights";

Json trials_in(const StudyFolder& folder) {
  return Json::parse(folder.shell("tune trials s --store store --json").out).at("trials");
}

Json explained(const StudyFolder& folder, int trial) {
  const ShellResult result =
      folder.shell("tune explain s/" + std::to_string(trial) + " --store store --json");
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  return Json::parse(result.out);
}

void check_refused(const StudyFolder& folder, const std::string& command, int code, const std::string& part) {
  const ShellResult result = folder.shell("tune " + command + " --store store < /dev/null");
  CAPTURE(command, result.out, result.err);
  CHECK(result.exit_code == code);
  CHECK(says(result.err, part));
}

}  // namespace

TEST_CASE(
    "a rerun has the point and the seed of its trial, says that it is the same, and shifts no suggestion") {
  StudyFolder folder(kSeeded), calm(kSeeded);
  for (StudyFolder* each : {&folder, &calm}) {
    each->spec["strategy"] = {{"name", "bayesian"}, {"seed", 5}};
    each->spec["limits"]["trials"] = 3;
    REQUIRE(each->run().exit_code == 0);
  }
  const ShellResult asked = folder.shell("tune rerun s/2 --store store && tune rerun s/2 --store store");
  CAPTURE(asked.out, asked.err);
  CHECK(
      says(asked.out, "s: trial 4 is enqueued, and repeats trial 2 with its seed (`tune resume s` goes on"));
  // Neither counts for the limit.
  REQUIRE(folder.shell("tune resume s --store store --trials 6").exit_code == 0);
  REQUIRE(calm.shell("tune resume s --store store --trials 6").exit_code == 0);
  const Json trials = trials_in(folder), others = trials_in(calm);
  REQUIRE(trials.size() == 8);
  REQUIRE(others.size() == 6);
  for (const int again : {3, 4}) {
    CHECK(trials[static_cast<std::size_t>(again)].at("parameters") == trials[1].at("parameters"));
    CHECK(trials[static_cast<std::size_t>(again)].at("value") == trials[1].at("value"));
  }
  CHECK(others[3].at("parameters") == trials[5].at("parameters"));
  // With the same values as well, every later suggestion is the same: only the seeds of those trials differ.
  CHECK(trials[5].at("note") == others[3].at("note"));
  const ShellResult shown = folder.shell("tune show s/4 --store store; tune show s/2 --store store");
  CHECK(says(shown.out, "repeats trial 2: the same result bit for bit: 3 points of loss, "));
  CHECK(says(shown.out, "repeated by trial 4"));
  CHECK(explained(folder, 4).at("rerun").at("same") == true);
  CHECK(
      explained(folder, 4).at("promotion").at("lines").at(0) ==
      "it repeats trial 2, and a repeat is never promoted by itself; `tune promote s/4 --model NAME` makes a "
      "version of it");
  // A repeat of a repeat is one of the trial behind it.
  CHECK(says(folder.shell("tune rerun s/4 --store store").out, "repeats trial 2"));
}

TEST_CASE(
    "a rerun that comes to something else says by how much, and one of a failed trial that it works now") {
  StudyFolder folder(
      "[ $1 != 111111 ] || [ -e mended ] || exit 3; echo loss=0.5; echo loss=0.2$(cat changed 2>/dev/null)");
  folder.spec["limits"]["trials"] = 2;
  folder.spec["strategy"]["try_first"] = {{{"x", 111111}}};
  REQUIRE(folder.run().exit_code == 0);
  folder.write("mended", "");
  folder.write("changed", "5");
  REQUIRE(
      folder
          .shell(
              "tune rerun s/1 --store store && tune rerun s/2 --store store && tune resume s --store store")
          .exit_code == 0);
  const ShellResult shown = folder.shell("tune show s/3 --store store; tune show s/4 --store store");
  CHECK(says(shown.out, "repeats trial 1: another result: it was failed (crash), and is completed now"));
  CHECK(says(shown.out, "repeats trial 2: another result: loss 0.2, now 0.25 (+0.0"));
  CHECK(says(shown.out, "first at step 2, 0.2 and now 0.25"));
}

TEST_CASE("what cannot be repeated is refused") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  check_refused(folder, "rerun s/9", 5, "there is no trial 9");
  check_refused(folder, "rerun s", 2, "is not a trial");
  REQUIRE(folder.shell("tune enqueue s --store store --parameters '{\"x\": 123456}'").exit_code == 0);
  check_refused(folder, "rerun s/5", 6, "trial 5 has not ended: it is queued");
  REQUIRE(folder.shell("tune delete s/2 --yes --store store").exit_code == 0);
  check_refused(folder, "rerun s/2", 6, "trial 2 was deleted by");
}

TEST_CASE("a trial is explained by what was recorded about it") {
  StudyFolder folder("echo loss=0.$1; echo loss=0.$1; echo w > $TUNE_OUTPUT_DIR/weights");
  folder.spec["strategy"] = {{"name", "auto"}, {"seed", 5}};
  folder.spec["limits"]["trials"] = 8;
  folder.spec["promote"] = {{"model", "m"}};
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult shown = folder.shell("tune explain s/7 --store store");
  CAPTURE(shown.out);
  CHECK(says(shown.out, "strategy: bayesian, chosen by auto"));
  CHECK(says(shown.out, "model: Gaussian process of 6 results"));
  CHECK(says(shown.out, "predicted loss: "));
  CHECK(says(shown.out, "nearest earlier trials, as they were then:\n    trial "));
  CHECK(says(shown.out, "trial finished, trial 7"));
  const Json told = explained(folder, 7);
  CHECK(told.at("suggestion").at("explanation").at("model").at("results") == 6);
  CHECK(told.at("events").size() == 1);
  const int best = Json::parse(folder.shell("tune best s --store store --json").out).at("trial");
  CHECK(says(folder.shell("tune explain s/" + std::to_string(best) + " --store store").out,
             "m version 1 was made of it: "));
  const int other = best == 1 ? 2 : 1;
  CHECK(says(folder.shell("tune explain s/" + std::to_string(other) + " --store store").out,
             "the best trial alone is promoted, which was trial " + std::to_string(best)));
  check_refused(folder, "explain s/9", 5, "has no trial 9");
}

TEST_CASE("why a rule stopped a trial is explained with what it compared") {
  StudyFolder folder("i=0; while [ $i -lt 20 ]; do echo loss=0.$1; sleep 0.05; i=$((i + 1)); done");
  folder.spec["early_stopping"] = {{"rule", "median"}, {"min_trials", 1}};
  folder.spec["strategy"]["try_first"] = {{{"x", 100001}}, {{"x", 999999}}};
  folder.spec["limits"]["trials"] = 2;
  REQUIRE(folder.run().exit_code == 0);
  REQUIRE(trials_in(folder)[1].at("state") == "stopped");
  const Json told = explained(folder, 2);
  REQUIRE(told.at("verdicts").size() == 1);
  CHECK(told.at("verdicts")[0].at("compared").at("median") == 0.100001);
  CHECK(told.at("verdicts")[0].at("compared").at("trials") == 1);
  CHECK(says(folder.shell("tune explain s/2 --store store").out, "which is above the median"));
}

TEST_CASE("a deleted trial leaves its number, and its files and metrics are gone") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  const Json before = trials_in(folder);
  const ShellResult deleted = folder.shell("tune delete s/2 --yes --store store");
  CAPTURE(deleted.out, deleted.err);
  REQUIRE(deleted.exit_code == 0);
  CHECK(says(deleted.out, "s/2 is deleted; "));
  CHECK(says(deleted.out, "kB are free again"));
  CHECK(folder.shell("ls store/s/trials").out == "1\n3\n4\n");
  const Json after = trials_in(folder);
  REQUIRE(after.size() == 4);
  CHECK(after[1].at("value") == nullptr);
  CHECK(says(after[1].at("reason"), "deleted by "));
  CHECK(after[2] == before[2]);
  const Json shown = Json::parse(folder.shell("tune show s/2 --store store --json").out);
  CHECK(shown.at("deleted").get<std::string>().find('@') != std::string::npos);
  CHECK(shown.at("deleted_at").get<std::string>().size() > 10);
  CHECK(says(explained(folder, 2).at("events").dump(), "trial_deleted"));
  check_refused(folder, "delete s/2 --yes", 6, "was deleted by");
  // The study goes on behind it, and every report can be made.
  REQUIRE(folder.shell("tune resume s --store store --trials 6").exit_code == 0);
  CHECK(folder.table().size() == 6);
  CHECK(folder.shell("tune report s --store store && tune best s --store store && tune doctor --store store")
            .exit_code == 0);
}

TEST_CASE("every trial that is left has failed, whatever was deleted") {
  StudyFolder folder("[ $1 = 111111 ] && echo loss=0.$1");
  folder.spec["strategy"]["try_first"] = {{{"x", 111111}}};
  folder.spec["limits"]["trials"] = 2;
  REQUIRE(folder.run().exit_code == 0);
  REQUIRE(folder.shell("tune delete s/1 --yes --store store").exit_code == 0);
  CHECK(folder.run().exit_code == 8);
}

TEST_CASE("of a promoted trial the registry's copy stays, and that is said") {
  StudyFolder folder;
  folder.spec["promote"] = {{"model", "m"}};
  REQUIRE(folder.run().exit_code == 0);
  const std::string best =
      Json::parse(folder.shell("tune best s --store store --json").out).at("trial").dump();
  const ShellResult trial = folder.shell("tune delete s/" + best + " --yes --store store");
  CHECK(says(trial.err, "it is the study's best trial"));
  CHECK(says(trial.err, "m version 1, made of trial " + best + ", stays in the registry with its files"));
  CHECK(folder.shell("cat store/models/m/current/weights").exit_code == 0);
  // The next best does not pass the gate against it.
  CHECK(folder.shell("tune resume s --store store").exit_code <= 1);
  const ShellResult study = folder.shell("tune delete s --yes --store store --json");
  CHECK(Json::parse(study.out).at("kept_versions").size() == 1);
  CHECK(folder.shell("ls -A store").out == "models\n");
  check_refused(folder, "delete s --yes", 5, "there is no study \"s\"");
  // A study that begins anew under the name has not made that version.
  folder.spec.erase("promote");
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult anew = folder.shell("tune explain s/" + best + " --store store");
  CHECK(anew.exit_code == 0);
  CHECK(says(anew.out, "the spec names no model"));
  CHECK_FALSE(says(anew.out, "was made of it"));
}

TEST_CASE(
    "nothing is deleted without a yes, nor while the study runs, nor of a comparison, nor amended, added or "
    "set "
    "there") {
  StudyFolder folder("touch started.$1; sleep 2; echo loss=0.$1");
  folder.spec["limits"]["trials"] = 1;
  const ShellResult run = folder.shell(
      "tune --spec search.json --store store > out 2> err & tune=$!\n"
      "until ls started.* > /dev/null 2>&1; do sleep 0.02; done\n"
      "tune delete s --yes --store store; echo study $?\n"
      "tune delete s/1 --yes --store store; echo trial $?; wait $tune; echo run $?");
  CAPTURE(run.out, run.err);
  CHECK(says(run.out, "study 6\ntrial 6\nrun 0\n"));
  CHECK(says(run.err, "another tune works on the study"));
  check_refused(folder, "delete s", 2, "nobody is there to ask");
  check_refused(folder, "delete s/7 --yes", 5, "s has no trial 7");
  check_refused(folder, "delete ../s --yes", 2, "is not a trial");
  REQUIRE(folder
              .shell("mkdir -p store/comparisons/c && touch store/comparisons/c/comparison.db && "
                     "cp -r store/s store/c.tuned.seed1")
              .exit_code == 0);
  check_refused(folder, "delete c.tuned.seed1 --yes", 6, "is a study of the comparison \"c\"");
  check_refused(folder, "amend search.json --name c.tuned.seed1", 6, "is a study of the comparison \"c\"");
  for (const std::string change : {"set c.tuned.seed1 --trials 9", "rerun c.tuned.seed1/1",
                                   "enqueue c.tuned.seed1 --parameters '{\"x\": 123456}'"})
    check_refused(folder, change, 6, "is a study of the comparison \"c\"");
  CHECK(folder.table().size() == 1);
}

TEST_CASE("a deletion that died is finished by the same command, or by the doctor", "[.crash]") {
  const std::string remove = " tune delete s/2 --yes --store store", doctor = "tune doctor --store store";
  for (const std::string& cure : {remove, doctor}) {
    CAPTURE(cure);
    StudyFolder folder;
    REQUIRE(folder.run().exit_code == 0);
    REQUIRE(folder.shell("TUNE_CRASH_AT=deleting_trial" + remove).exit_code == 137);
    CHECK(trials_in(folder)[1].at("state") == "completed");
    REQUIRE(folder.shell("TUNE_CRASH_AT=trial_deleted" + remove).exit_code == 137);
    CHECK(folder.shell("ls store/s/trials").out == "1\n2\n3\n4\n");
    const ShellResult again = folder.shell(cure);
    CAPTURE(again.out, again.err);
    CHECK(again.exit_code == 0);
    CHECK(folder.shell("ls store/s/trials").out == "1\n3\n4\n");
    CHECK(says(trials_in(folder)[1].at("reason"), "deleted by "));
  }
  const std::string whole = " tune delete s --yes --store store";
  for (const std::string& cure : {whole, doctor}) {
    CAPTURE(cure);
    StudyFolder folder;
    REQUIRE(folder.run().exit_code == 0);
    REQUIRE(folder.shell("TUNE_CRASH_AT=study_set_aside" + whole).exit_code == 137);
    CHECK(folder.shell("tune status --store store --json").exit_code == 0);
    CHECK(folder.shell("ls store").out.empty());
    const ShellResult again = folder.shell(cure);
    CAPTURE(again.out, again.err);
    CHECK(again.exit_code == 0);
    CHECK(folder.shell("ls -A store").out.empty());
  }
}

TEST_CASE("an amended range keeps the trials that lie in it, and the search learns from them alone") {
  StudyFolder folder;
  folder.spec["strategy"] = {{"name", "bayesian"}, {"seed", 5}};
  folder.spec["limits"]["trials"] = 8;
  REQUIRE(folder.run().exit_code == 0);
  // The best is the smallest: the upper part goes.
  folder.spec["parameters"]["x"]["max"] = 500000;
  folder.spec["parameters"]["x"]["min"] = 50000;
  folder.spec["limits"]["trials"] = 12;
  const ShellResult before = folder.run();
  CHECK(before.exit_code == 6);
  CHECK(says(before.err, "`tune amend FILE` has the study go on in another space"));
  const ShellResult amended = folder.shell("tune amend search.json --store store --json");
  CAPTURE(amended.out, amended.err);
  REQUIRE(amended.exit_code == 0);
  const Json report = Json::parse(amended.out);
  CHECK(report.at("trials") == 8);
  std::size_t outside = 0;
  for (const Json& trial : trials_in(folder)) outside += trial.at("parameters").at("x") > 500000;
  REQUIRE(outside > 0);
  REQUIRE(outside < 6);
  CHECK(report.at("outside").size() == outside);
  CHECK(report.at("changes").size() == 3);
  REQUIRE(folder.run().exit_code == 0);
  const Json trials = trials_in(folder);
  REQUIRE(trials.size() == 12);
  for (std::size_t i = 8; i < 12; ++i) CHECK(trials[i].at("parameters").at("x") <= 500000);
  CHECK(explained(folder, 9).at("suggestion").at("explanation").at("model").at("results") == 8 - outside);
  CHECK(folder.shell("tune report s --store store && tune doctor --store store && tune best s --store store")
            .exit_code == 0);
  // The same again is nothing new.
  CHECK(says(folder.shell("tune amend search.json --store store").out, "the spec is the study's already"));
  // What the study was stays in it.
  const ShellResult kept = folder.shell(
      "python3 -c \"import json, sqlite3; print(json.loads(sqlite3.connect('store/s/study.db').execute("
      "\\\"SELECT data FROM events WHERE kind = 'spec_amended'\\\").fetchone()[0])"
      "['before']['parameters']['x']['max'])\"");
  CHECK(kept.out == "999999\n");
}

TEST_CASE("a new parameter has the assumed value in earlier trials, also where they run again") {
  StudyFolder folder("[ -e mended ] || [ $1 != 111111 ] || exit 3; echo \"$1 $2\" >> runs; echo loss=0.$1");
  folder.spec["strategy"] = {{"name", "bayesian"}, {"seed", 5}, {"try_first", {{{"x", 111111}}}}};
  folder.spec["limits"]["trials"] = 6;
  REQUIRE(folder.run().exit_code == 0);
  folder.spec["parameters"]["y"] = {{"type", "float"}, {"min", 0}, {"max", 1}};
  folder.spec["command"].push_back("{{y}}");
  check_refused(folder, "amend search.json", 2, "\"y\" is new, and nothing says what it was in the 6 trials");
  check_refused(folder, "amend search.json --assume z=1", 2, "there is no parameter \"z\"");
  check_refused(folder, "amend search.json --assume x=1", 2,
                "earlier trials have values of their own of \"x\"");
  check_refused(folder, "amend search.json --assume y", 2, "--assume takes NAME=VALUE");
  const ShellResult amended = folder.shell("tune amend search.json --assume y=0.25 --store store");
  CAPTURE(amended.out, amended.err);
  REQUIRE(amended.exit_code == 0);
  CHECK(says(amended.out, "earlier trials had y = 0.25\n6 of 6 trials stay in use\n"));
  folder.write("mended", "");
  REQUIRE(folder
              .shell("tune rerun s/2 --store store && "
                     "tune resume s --store store --trials 8 --retry-failed")
              .exit_code == 0);
  const Json trials = trials_in(folder);
  REQUIRE(trials.size() == 9);
  CHECK(trials[0].at("state") == "completed");
  const std::string runs = folder.shell("cat runs").out;
  CHECK(says(runs, "111111 0.25\n"));
  const std::string second = trials[1].at("parameters").at("x").dump();
  CHECK(says(runs, second + " \n"));
  CHECK(says(runs, second + " 0.25\n"));
  CHECK(trials[8].at("parameters").contains("y"));
  CHECK(explained(folder, 9).at("suggestion").at("explanation").at("model").at("results").get<int>() >= 5);
}

TEST_CASE("trials in use after an amendment are those of the search that are still there") {
  StudyFolder folder;
  folder.spec["limits"]["trials"] = 5;
  REQUIRE(folder.run().exit_code == 0);
  const int best = Json::parse(folder.shell("tune best s --store store --json").out).at("trial");
  const std::string other = std::to_string(best == 2 ? 3 : 2);
  REQUIRE(folder
              .shell("tune rerun s/1 --store store && tune resume s --store store && tune delete s/" + other +
                     " --yes --store store")
              .exit_code == 0);
  folder.spec["parameters"]["x"]["max"] = 1500000;
  const ShellResult amended = folder.shell("tune amend search.json --store store");
  CAPTURE(amended.out, amended.err);
  CHECK(says(amended.out, "\n4 of 4 trials stay in use\n"));
}

TEST_CASE("a parameter is fixed, and its trials with that value stay in use") {
  StudyFolder folder("echo \"$1 $2\" >> runs; echo loss=0.$1");
  folder.spec["parameters"]["kind"] = {{"type", "categorical"}, {"values", {"a", "b"}}};
  folder.spec["command"].push_back("{{kind}}");
  folder.spec["strategy"]["try_first"] = {
      {{"x", 100001}, {"kind", "a"}}, {{"x", 200000}, {"kind", "b"}}, {{"x", 300000}, {"kind", "a"}}};
  folder.spec["limits"]["trials"] = 3;
  REQUIRE(folder.run().exit_code == 0);
  folder.spec["parameters"].erase("kind");
  check_refused(folder, "amend search.json", 3, "kind");
  folder.spec["fixed"] = {{"kind", "a"}};
  folder.spec["strategy"].erase("try_first");
  const ShellResult amended = folder.shell("tune amend search.json --store store");
  CAPTURE(amended.out, amended.err);
  REQUIRE(amended.exit_code == 0);
  CHECK(says(amended.out,
             "2 of 3 trials stay in use\ntrial 2 is outside, and the search learns nothing from it: "
             "kind is b, and a is fixed\n"));
  // A trial from before runs again as it was.
  REQUIRE(folder.shell("tune rerun s/2 --store store && tune resume s --store store --trials 4").exit_code ==
          0);
  CHECK(folder.shell("grep -c '^200000 b$' runs").out == "2\n");
  CHECK(folder.shell("tail -n 1 runs").out.ends_with(" a\n"));
}

TEST_CASE("an amendment without the best trial is made with --force alone, and others never") {
  StudyFolder folder("echo loss=0.$1; echo w > $TUNE_OUTPUT_DIR/weights");
  folder.spec["promote"] = {{"model", "m"}};
  folder.spec["strategy"]["try_first"] = {{{"x", 100001}}};
  folder.spec["limits"]["trials"] = 4;
  REQUIRE(folder.run().exit_code == 0);
  folder.spec["strategy"].erase("try_first");
  folder.spec["parameters"]["x"]["min"] = 150000;
  check_refused(folder, "amend search.json", 6,
                "the best trial, 1, of \"s\" would be no point of the new space");
  folder.spec["objective"]["goal"] = "maximize";
  check_refused(folder, "amend search.json --force", 6,
                "the values of earlier trials would be of something else");
  folder.spec["objective"]["goal"] = "minimize";
  REQUIRE(folder.shell("tune amend search.json --force --store store").exit_code == 0);
  CHECK(Json::parse(folder.shell("tune best s --store store --json").out).at("trial") == 1);
  REQUIRE(folder.shell("tune resume s --store store --trials 6").exit_code == 0);
  CHECK(Json::parse(folder.shell("tune best s --store store --json").out).at("trial") == 1);
  check_refused(folder, "amend search.json --name nobody", 5, "there is no study \"nobody\"");
}

TEST_CASE("an amendment without a trial that a person promoted is made with --force alone") {
  StudyFolder folder("echo loss=0.$1; echo w > $TUNE_OUTPUT_DIR/weights");
  folder.spec["strategy"]["try_first"] = {{{"x", 500000}}, {{"x", 100001}}};
  folder.spec["limits"]["trials"] = 2;
  REQUIRE(folder.run().exit_code == 0);
  REQUIRE(folder.shell("tune promote s/1 --model m --store store").exit_code == 0);
  folder.spec["parameters"]["x"]["max"] = 400000;
  folder.spec["strategy"].erase("try_first");
  check_refused(folder, "amend search.json", 6,
                "trial 1, of which m version 1 was made, of \"s\" would be no point of the new space");
  // What another trial has taken the place of is in nobody's way.
  REQUIRE(folder.shell("tune promote s/2 --model m --store store").exit_code == 0);
  CHECK(folder.shell("tune amend search.json --store store").exit_code == 0);
}

TEST_CASE("a study that runs keeps its space") {
  StudyFolder folder("touch started.$1; sleep 2; echo loss=0.$1");
  folder.spec["limits"]["trials"] = 1;
  const std::string run =
      "tune --spec search.json --store store > out 2> err & tune=$!\n"
      "until ls started.* > /dev/null 2>&1; do sleep 0.02; done\n";
  const ShellResult result =
      folder.shell(run +
                   "sed s/999999/999998/ search.json > other.json\n"
                   "tune amend other.json --store store; echo amend $?; wait $tune; echo run $?");
  CAPTURE(result.out, result.err);
  CHECK(says(result.out, "amend 6\nrun 0\n"));
  CHECK(says(result.err, "a study that runs keeps its space: `tune stop s` interrupts it"));
}

TEST_CASE("an amendment that died has happened whole or not at all", "[.crash]") {
  for (const std::string point : {"amending", "amended"}) {
    CAPTURE(point);
    StudyFolder folder;
    REQUIRE(folder.run().exit_code == 0);
    folder.spec["parameters"]["x"]["min"] = 50000;
    const std::string amend = " tune amend search.json --store store";
    REQUIRE(folder.shell("TUNE_CRASH_AT=" + point + amend).exit_code == 137);
    CHECK(folder.run().exit_code == (point == "amended" ? 0 : 6));
    CHECK(folder.shell(amend).exit_code == 0);
    CHECK(folder.run().exit_code == 0);
  }
}

}  // namespace tune::tests
