// Dies at every place where something was committed, started or renamed, and compares with a study that did
// not.
#include "study_fixture.h"

namespace tune::tests {
namespace {

const char* kQuick =
    "echo loss=0.$1; echo weights of $1 > $TUNE_OUTPUT_DIR/weights; echo c > $TUNE_CHECKPOINT_DIR/last";
// Its first value is in the store before it prints the second.
const char* kSlow =
    "echo loss=0.9; trial=${TUNE_TRIAL_FILE%/attempts/*}; trial=${trial##*/}\n"
    "until python3 -c \"import sqlite3, sys; sys.exit(not sqlite3.connect('file:store/s/study.db?mode=ro', "
    "uri=True).execute('SELECT count(*) FROM metrics WHERE trial = $trial').fetchone()[0])\"; do sleep 0.01; "
    "done\n"
    "echo loss=0.$1; echo weights of $1 > $TUNE_OUTPUT_DIR/weights";

void check_as_if_nothing_had_been(const std::string& point, const char* trainer = kQuick) {
  CAPTURE(point);
  StudyFolder calm(trainer), stormy(trainer);
  calm.spec["promote"] = stormy.spec["promote"] = {{"model", "m"}};
  REQUIRE(calm.run().exit_code == 0);
  const ShellResult crashed = stormy.run("", "TUNE_CRASH_AT=" + point);
  REQUIRE(crashed.exit_code == 137);
  const ShellResult again = stormy.run();
  CAPTURE(again.err);
  REQUIRE(again.exit_code == 0);
  CHECK(stormy.table() == calm.table());
  const std::string state =
      "tune models m --store store --json | python3 -c 'import json, sys; m = json.load(sys.stdin); "
      "print(json.dumps("
      "[[v[\"version\"], v[\"trial\"], v[\"value\"]] for v in m[\"versions\"]]))'; "
      "readlink store/models/m/current; cat store/models/m/current/weights; ls store/models/staging "
      "store/models/m store/models/m/versions; ls store/s/trials/*/checkpoints/last || true";
  const ShellResult one = calm.shell(state), other = stormy.shell(state);
  REQUIRE(one.exit_code == 0);
  CHECK(one.out == other.out);
}

TEST_CASE("a study that died while it was made is made again", "[.crash]") {
  check_as_if_nothing_had_been("store_created");
  check_as_if_nothing_had_been("study_created");
}

TEST_CASE("a study that died around an attempt's start ends as if it had not", "[.crash]") {
  for (const char* point :
       {"trial_committed:1", "trial_committed:3", "attempt_spawned:2", "attempt_recorded:2"}) {
    check_as_if_nothing_had_been(point);
  }
}

TEST_CASE("a study that died around a trial's end ends as if it had not", "[.crash]") {
  for (const char* point :
       {"before_end:1", "before_end:4", "trial_ended:1", "trial_ended:4", "study_finished"}) {
    check_as_if_nothing_had_been(point);
  }
}

TEST_CASE("a study that died right after a metric was committed ends as if it had not", "[.crash]") {
  for (const char* point : {"metrics_committed:1", "metrics_committed:2"}) {
    check_as_if_nothing_had_been(point, kSlow);
  }
}

TEST_CASE("a study that died on a ladder goes up each step once", "[.crash]") {
  // Half of the trials run out of memory as they are suggested, and fit at their second step.
  const char* trainer =
      "echo c > $TUNE_CHECKPOINT_DIR/last.$2; ls $TUNE_CHECKPOINT_DIR | wc -l | grep -qx 1 || exit 5\n"
      "[ $2 -le 2 ] || [ $(($1 / 1000 % 2)) = 0 ] || { echo MemoryError; exit 1; }; echo loss=0.$1; echo ran "
      "with "
      "$2";
  const auto prepare = [](StudyFolder& folder) {
    folder.spec["fixed"] = {{"batch", 8}};
    folder.spec["command"] = {"sh", "train.sh", "{{x}}", "{{batch}}"};
    const Json step = {{"set", {{"batch", "half"}}}};
    folder.spec["retry"] = {{"out_of_memory", {step, step}}};
  };
  const auto ladders = [](const StudyFolder& folder) {
    Json list = Json::array();
    const Json document = Json::parse(folder.shell("tune trials s --store store --json").out);
    for (const Json& trial : document.at("trials"))
      list.push_back({trial.at("trial"), trial.at("state"), trial.at("value"), trial.at("overrides")});
    return list;
  };
  StudyFolder calm(trainer);
  prepare(calm);
  REQUIRE(calm.run().exit_code == 0);
  const Json expected = ladders(calm);
  int changed = 0;
  for (const Json& trial : expected) {
    CHECK(trial.at(1) == "completed");
    changed += trial.at(3) == Json{{"batch", 2}};
  }
  REQUIRE(changed > 0);
  for (const char* point : {"before_end:2", "trial_ended:2", "checkpoints_dropped:2", "checkpoints_dropped:3",
                            "trial_committed:2", "attempt_recorded:3"}) {
    CAPTURE(point);
    StudyFolder stormy(trainer);
    prepare(stormy);
    REQUIRE(stormy.run("", "TUNE_CRASH_AT=" + std::string(point)).exit_code == 137);
    const ShellResult again = stormy.run();
    CAPTURE(again.err);
    REQUIRE(again.exit_code == 0);
    CHECK(ladders(stormy) == expected);
  }
}

TEST_CASE("a study that died while its failed trials were reopened runs each of them again once",
          "[.crash]") {
  for (const char* point : {"reopening_trials", "trials_reopened"}) {
    CAPTURE(point);
    StudyFolder folder("[ -e fixed ] || exit 3; echo loss=0.$1");
    REQUIRE(folder.run().exit_code == 8);
    folder.write("fixed", "");
    const std::string retry = " tune resume s --retry-failed --store store";
    REQUIRE(folder.shell("TUNE_CRASH_AT=" + std::string(point) + retry).exit_code == 137);
    const bool is_reopened = std::string(point) == "trials_reopened";
    for (const Json& row : folder.table()) CHECK(row[2] == (is_reopened ? "queued" : "failed"));
    // Once they are reopened, the same spec is enough.
    REQUIRE(folder.shell(is_reopened ? "tune --spec search.json --store store" : retry).exit_code == 0);
    const Json table = folder.table();
    CHECK(table.size() == 4);
    for (const Json& row : table) CHECK(row[2] == "completed");
    const Json trials = Json::parse(folder.shell("tune trials s --store store --json").out).at("trials");
    for (const Json& trial : trials) CHECK(trial.at("attempts") == 2);
  }
}

TEST_CASE("a rescan that died has happened whole or not at all", "[.crash]") {
  for (const char* point : {"rescanning", "rescanned"}) {
    CAPTURE(point);
    StudyFolder folder("echo \"val loss: 0.$1\"");
    folder.spec["limits"]["trials"] = 2;
    REQUIRE(folder.run().exit_code == 8);
    folder.spec["metrics"][0]["regex"] = "val loss: ([0-9.]+)";
    const std::string rescan = " tune rescan s --spec search.json --store store";
    REQUIRE(folder.shell("TUNE_CRASH_AT=" + std::string(point) + rescan).exit_code == 137);
    const bool is_done = std::string(point) == "rescanned";
    for (const Json& row : folder.table()) CHECK(row[2] == (is_done ? "completed" : "failed"));
    CHECK(folder.run().exit_code == (is_done ? 0 : 6));
    CHECK(folder.shell(rescan).exit_code == 0);
    CHECK(folder.run().exit_code == 0);
    for (const Json& row : folder.table()) CHECK(row[2] == "completed");
  }
}

TEST_CASE("a promotion that died at any step is made once, whole", "[.crash]") {
  for (const char* point : {"promote_stage", "promote_rename", "promote_record", "promote_log",
                            "promote_switch", "promote_link", "promotion_recorded"}) {
    check_as_if_nothing_had_been(point);
  }
}

}  // namespace
}  // namespace tune::tests
