// Signals and kill -9, at the real programs.
#include "study_fixture.h"

namespace tune::tests {
namespace {

// The third attempt of all waits for a file, so that a test can do something meanwhile.
const char* kWaiting =
    "echo $$ > pid.new; mv pid.new pid; n=$(cat count 2>/dev/null || echo 0); n=$((n + 1)); echo $n > count\n"
    "if [ $n = 3 ]; then touch third; while :; do sleep 0.02; done; fi\n"
    "echo loss=0.$1; echo weights > $TUNE_OUTPUT_DIR/weights";

// No process of the study is left: each carries its attempt's token in its environment.
const std::string kNobody =
    "for i in $(seq 500); do grep -slz TUNE_TRIAL_FILE=$PWD/store /proc/[0-9]*/environ | grep -q . || break; "
    "sleep 0.01; done\n"
    "if grep -slz TUNE_TRIAL_FILE=$PWD/store /proc/[0-9]*/environ; then exit 99; fi\n";

Json calm_table() {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  return folder.table();
}

TEST_CASE(
    "kill -9 of tune takes its trials along, and the same command ends the study as if nothing had been") {
  StudyFolder folder(kWaiting);
  const ShellResult killed =
      folder.shell(kStart + wait_for("third") + "kill -9 $tune; wait $tune\n" + kNobody);
  CAPTURE(killed.out, killed.err);
  REQUIRE(killed.exit_code == 0);
  const ShellResult again = folder.run();
  CAPTURE(again.err);
  CHECK(again.exit_code == 0);
  CHECK(folder.table() == calm_table());
}

TEST_CASE("kill -9 of tune takes along even what a stopped supervisor watches") {
  StudyFolder folder(kWaiting);
  const ShellResult killed = folder.shell(
      kStart + wait_for("third") + "kill -STOP $(ps -o ppid= -p $(cat pid)); kill -9 $tune; wait $tune\n" +
      kNobody + "exit 0");
  CHECK(killed.exit_code == 0);
}

TEST_CASE("kill -9 of a supervisor loses the attempt, and the trial runs again") {
  StudyFolder folder(kWaiting);
  const ShellResult killed =
      folder.shell(kStart + wait_for("third") +
                   "supervisor=$(ps -o ppid= -p $(cat pid)); kill -9 $supervisor; wait $tune; code=$?\n" +
                   kNobody + "exit $code");
  CAPTURE(killed.err);
  REQUIRE(killed.exit_code == 0);
  CHECK(folder.table() == calm_table());
  const ShellResult shown = folder.shell("tune show s/3 --store store --json");
  CHECK(shown.out.find("lost") != std::string::npos);
}

TEST_CASE("kill -9 of a trainer fails its trial, and the study goes on") {
  StudyFolder folder(kWaiting);
  const ShellResult killed = folder.shell(kStart + wait_for("third") + "kill -9 $(cat pid); wait $tune");
  REQUIRE(killed.exit_code == 0);
  const Json table = folder.table();
  REQUIRE(table.size() == 4);
  CHECK(table[2][2] == "failed");
  CHECK(folder.shell("tune show s/3 --store store").out.find("signal 9 (Killed)") != std::string::npos);
  CHECK(table[3][2] == "completed");
}

TEST_CASE("a first signal drains with exit code 130, and the same command goes on") {
  for (const char* signal : {"INT", "TERM", "HUP"}) {
    CAPTURE(signal);
    StudyFolder folder(kWaiting);
    const ShellResult drained = folder.shell(kStart + wait_for("third") + "kill -" + signal +
                                             " $tune; wait $tune; code=$?\n" + kNobody + "exit $code");
    CHECK(drained.exit_code == 130);
    CHECK(folder.table()[2][2] == "queued");
    CHECK(folder.run().exit_code == 0);
    CHECK(folder.table() == calm_table());
  }
}

TEST_CASE("a second signal kills what ignores the first") {
  StudyFolder folder("trap '' TERM; touch third; while :; do sleep 0.02; done");
  const ShellResult killed =
      folder.shell(kStart + wait_for("third") +
                   "kill -INT $tune; until grep -q interrupt err; do sleep 0.01; done; kill -INT $tune\n"
                   "SECONDS=0; wait $tune; code=$?; [ $SECONDS -lt 8 ] || exit 98\n" +
                   kNobody + "exit $code");
  CHECK(killed.exit_code == 130);
  CHECK(folder.table()[0][2] == "queued");
}

TEST_CASE("a terminal that hangs up twice drains all the same") {
  StudyFolder folder(
      "trap 'touch asked; while [ ! -e save ]; do sleep 0.01; done; touch saved; exit 0' TERM\n"
      "touch third; while :; do sleep 0.02; done");
  const ShellResult drained =
      folder.shell(kStart + wait_for("third") + "kill -HUP $tune\n" + wait_for("asked") +
                   "kill -HUP $tune; sleep 0.3; touch save; wait $tune; code=$?\n" + kNobody + "exit $code");
  CAPTURE(drained.err);
  CHECK(drained.exit_code == 130);
  CHECK(std::filesystem::exists(folder.path() / "saved"));
  CHECK(folder.table()[0][2] == "queued");
}

TEST_CASE("signals that tune was started to ignore stay ignored") {
  for (const char* start : {"nohup tune --spec search.json --store store >out 2>err & tune=$!; signal=HUP\n",
                            "tune --spec search.json --store store >out 2>err & tune=$!; signal=INT\n"}) {
    CAPTURE(start);
    StudyFolder folder("touch third; while [ ! -e go ]; do sleep 0.01; done; echo loss=0.$1");
    const ShellResult run =
        folder.shell(start + wait_for("third") + "kill -$signal $tune; sleep 0.3; touch go; wait $tune");
    CHECK(run.exit_code == 0);
    CHECK(folder.table()[0][2] == "completed");
  }
}

TEST_CASE("a reader of the result who leaves early does not change how the study ends") {
  for (const char* form : {"", " --json"}) {
    CAPTURE(form);
    StudyFolder folder;
    const ShellResult run = folder.shell(std::string("tune --spec search.json --store store 2>err") + form +
                                         " | true; exit ${PIPESTATUS[0]}");
    CHECK(run.exit_code == 0);
    CHECK(folder.table().size() == 4);
  }
}

TEST_CASE("an interruption decides the exit code, even with nobody left to read the result") {
  StudyFolder folder(kWaiting);
  const ShellResult drained =
      folder.shell(kLikeAtPrompt + "tune --spec search.json --store store >/dev/full 2>err & tune=$!\n" +
                   wait_for("third") + "kill -HUP $tune; wait $tune; code=$?\n" + kNobody + "exit $code");
  CHECK(drained.exit_code == 130);
}

TEST_CASE("of two orchestrators of a study the second exits 6 and names the first") {
  StudyFolder folder(kWaiting);
  const ShellResult both =
      folder.shell(kStart + wait_for("third") +
                   "tune --spec search.json --store store 2>second; code=$?\n"
                   "grep -q \"process $tune\" second || code=97; kill -9 $tune; exit $code");
  CHECK(both.exit_code == 6);
}

TEST_CASE("an interruption ends the wait for another process that promotes, and the next run promotes") {
  StudyFolder folder;
  folder.spec["promote"] = {{"model", "m"}};
  const ShellResult waited = folder.shell(
      "mkdir -p store/models; mkfifo fifo; (flock 9; touch held; read gone <fifo) 9>store/models/lock &\n" +
      wait_for("held") + kStart +
      "until grep -q '4.*completed' err; do sleep 0.01; done; sleep 0.2\n"
      "kill -INT $tune; wait $tune; code=$?; echo >fifo; wait; exit $code");
  CAPTURE(waited.err);
  CHECK(waited.exit_code == 130);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "store/models/m/current"));
  CHECK(folder.run().exit_code == 0);
  CHECK(std::filesystem::exists(folder.path() / "store/models/m/current"));
}

TEST_CASE("a request is obeyed while a promotion waits, and a study is stopped there") {
  StudyFolder folder;
  folder.spec["promote"] = {{"model", "m"}};
  const std::string hold =
      "mkdir -p store/models; mkfifo fifo; (flock 9; touch held; read gone <fifo) 9>store/models/lock &\n" +
      wait_for("held") + kStart + "until grep -q 'promotion waits' err; do sleep 0.01; done\n";
  const ShellResult asked = folder.shell(
      hold +
      "timeout 20 tune set s --store store --trials 6; echo set $?\n"
      "timeout 20 tune enqueue s --store store --parameters '{\"x\": 123456}'; echo enqueue $?\n"
      "timeout 20 tune stop s --store store; code=$?; echo stop $code\n"
      "[ $code = 0 ] || echo >fifo; wait $tune; echo run $?; [ $code != 0 ] || echo >fifo; wait");
  CAPTURE(asked.out, asked.err);
  CHECK(says(asked.out, "s: limits.trials: 4 -> 6 (`tune resume s` goes on with it)\nset 0\n"));
  CHECK(says(asked.out, "trial 5 is enqueued"));
  CHECK(says(asked.out, "enqueue 0\n"));
  CHECK(says(asked.out,
             "s: the promotion is interrupted (`tune resume s` goes on with it)\nstop 0\nrun 130\n"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "store/models/m/current"));
  CHECK(folder.run().exit_code == 0);
  CHECK(folder.table().size() == 6);
  CHECK(std::filesystem::exists(folder.path() / "store/models/m/current"));
}

// Another program's transaction on the study's database, from the file `locked` to the file `free`.
const std::string kHoldLock =
    "rm -f locked free; python3 -c \"import os, sqlite3, time\n"
    "c = sqlite3.connect('store/s/study.db', isolation_level=None)\n"
    "c.execute('BEGIN IMMEDIATE'); open('locked', 'w').close()\n"
    "while not os.path.exists('free'): time.sleep(0.01)\n"
    "c.execute('COMMIT')\" & holder=$!\n" +
    wait_for("locked");

TEST_CASE(
    "a run waits for the program that holds a lock on its database and goes on; other commands say so and "
    "change nothing",
    "[.crash]") {
  StudyFolder folder("echo loss=0.$1; echo $1 > $TUNE_OUTPUT_DIR/w; [ -e begun ] || touch begun; sleep 0.2");
  const ShellResult run =
      folder.shell(kStart + wait_for("begun") + kHoldLock +
                   "until grep -q paused err; do sleep 0.05; done; touch free; wait $tune");
  const std::string said = folder.shell("cat err").out;
  CAPTURE(said);
  CHECK(run.exit_code == 0);
  CHECK(said.find("goes on by itself once it can be written: another program holds a lock") !=
        std::string::npos);
  REQUIRE(folder.table().size() == 4);
  CHECK(folder.shell("grep -c 'trial [0-9] starts' err").out == "4\n");

  const std::string mended = R"(sed 's/loss=(/loss=(0/' search.json > mended.json; )";
  const ShellResult refused =
      folder.shell(mended + kHoldLock +
                   "tune resume s --trials 6 --store store 2>err1 & one=$!; tune rescan s --spec mended.json "
                   "--store store "
                   "2>err2 & two=$!\n"
                   "tune promote s --model m --store store >/dev/null || echo not promoted\n"
                   "wait $one; echo $?; wait $two; echo $?; touch free; wait $holder; cat err1 err2");
  CAPTURE(refused.out, refused.err);
  CHECK(refused.out.starts_with("6\n6\n"));
  CHECK(refused.out.find("another program holds the file") != std::string::npos);
  const ShellResult after = folder.shell("tune resume s --trials 6 --store store");
  CHECK(after.exit_code == 0);
  CHECK(folder.table().size() == 6);
}

}  // namespace
}  // namespace tune::tests
