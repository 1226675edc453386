// A set-up that is broken, breaks or was wrong costs a round, and is mended.
#include "study_fixture.h"

namespace tune::tests {
namespace {

TEST_CASE("a set-up that cannot work is said before the first trial, with exit code 7, and none is spent") {
  StudyFolder folder;
  const Json good = folder.spec["command"];
  folder.spec["command"] = {"no-such-program", "{{x}}"};
  const ShellResult refused = folder.run();
  CHECK(refused.exit_code == 7);
  CHECK(says(refused.err, "there is no program \"no-such-program\" on the trials' PATH"));
  CHECK(folder.table().empty());
  folder.spec["command"] = good;
  REQUIRE(folder.run("--trials 2").exit_code == 0);
  // The spec's folder is gone when a stored spec goes on.
  const ShellResult moved = folder.shell(
      "mkdir there && cp search.json train.sh there && cd there && "
      "tune --spec search.json --store ../store --name n --trials 1 2>&1 && cd .. && "
      "rm -r there && tune resume n --trials 3 --store store");
  CHECK(moved.exit_code == 7);
  CHECK(says(moved.err, "cannot be entered"));
  CHECK(folder.table("n").size() == 1);
}

TEST_CASE("a folder that goes in the middle pauses the study, and the same command goes on once it is back") {
  StudyFolder folder("[ -e ../once ] || { touch ../once; mv ../work ../away; }; echo loss=0.$1");
  const std::string run = "tune --spec work/search.json --store store";
  const ShellResult paused = folder.shell("mkdir work && cp search.json train.sh work && " + run);
  CAPTURE(paused.err);
  CHECK(paused.exit_code == 7);
  CHECK(says(paused.err, "the study pauses"));
  CHECK(says(paused.err, "cannot enter the working directory"));
  const ShellResult on = folder.shell("mv away work && " + run);
  CAPTURE(on.err);
  CHECK(on.exit_code == 0);
  CHECK(folder.table().size() == 4);
  for (const Json& row : folder.table()) CHECK(row[2] == "completed");
}

TEST_CASE("a set-up that breaks later costs a few trials, and they run again on request") {
  StudyFolder folder("[ ! -e broken ] || { echo 'No module named torch' >&2; exit 1; }; echo loss=0.$1");
  folder.spec["limits"]["trials"] = 60;
  REQUIRE(folder.run("--trials 6").exit_code == 0);
  folder.write("broken", "");
  const ShellResult paused = folder.run("--trials 60");
  CAPTURE(paused.err);
  CHECK(paused.exit_code == 7);
  CHECK(says(paused.err, "failed at once in the same way: exit code 1: No module named torch"));
  CHECK(says(paused.err, "their logs end with:\n    No module named torch\n"));
  CHECK(says(paused.err, "tune check search.json --sample " + (folder.path() / "store/s/trials/").string()));
  const std::size_t spent = folder.table().size();
  CHECK(spent <= 6 + 25);
  const Json again = Json::parse([&] {
    std::istringstream lines(folder.run("--json").out);
    std::string line, last;
    while (std::getline(lines, line)) last = line;
    return last;
  }());
  CHECK(again.at("exit_code") == 7);
  CHECK(again.at("state") == "interrupted");
  CHECK(again.at("paused").at("log_end") == Json({"No module named torch"}));
  const ShellResult resumed = folder.shell("tune resume s --store store");
  CHECK(says(resumed.err, "tune check " + (folder.path() / "search.json").string() + " --sample "));
  REQUIRE(folder.shell("rm broken; tune resume s --retry-failed --store store").exit_code == 0);
  const Json table = folder.table();
  CHECK(table.size() == 60);
  for (const Json& row : table) CHECK(row[2] == "completed");
  const ShellResult none = folder.shell("tune resume s --retry-failed --trials 61 --store store");
  CHECK(says(none.err, "no trial has failed, so none runs again"));
}

TEST_CASE("points of a grid that failed run again once their cause is gone, within the study's limits") {
  StudyFolder folder("[ $1 != 2 ] || [ -e fixed ] || exit 3; echo loss=$1; sleep 0.2");
  folder.spec["parameters"] = {{"x", {{"type", "categorical"}, {"values", {1, 2, 3}}}}};
  folder.spec["strategy"] = {{"name", "grid"}};
  folder.spec["limits"] = {{"gpu_hours", 0.01}, {"parallel", 1}};
  REQUIRE(folder.run().exit_code == 0);
  CHECK(folder.table()[1][2] == "failed");
  CHECK(says(folder.run().err, "`tune resume s --retry-failed` runs its failed trials again"));
  folder.write("fixed", "");
  const ShellResult spent = folder.shell("tune resume s --retry-failed --gpu-hours 0.00001 --store store");
  CHECK(spent.exit_code == 6);
  CHECK(says(spent.err, "--gpu-hours H"));
  CHECK(folder.table()[1][2] == "failed");
  CHECK(folder.shell("tune resume s --retry-failed --store store").exit_code == 0);
  CHECK(folder.table()[1][2] == "completed");
  CHECK(folder.table().size() == 3);
  CHECK(Json::parse(folder.shell("tune show s/2 --json --store store").out).at("attempts").size() == 2);
}

TEST_CASE("logs are read again with corrected regexes, and the study goes on with them") {
  StudyFolder folder("echo \"val loss: 0.$1\"; echo weights > $TUNE_OUTPUT_DIR/w");
  folder.spec["promote"] = {{"model", "m"}};
  folder.spec["limits"]["trials"] = 3;
  CHECK(folder.run().exit_code == 8);
  folder.spec["metrics"][0]["regex"] = "val loss: ([0-9.]+)";
  const ShellResult changed = folder.run();
  CHECK(changed.exit_code == 6);
  CHECK(says(changed.err, "`tune rescan s --spec FILE`"));
  const ShellResult rescanned = folder.shell("tune rescan s --spec search.json --store store");
  CAPTURE(rescanned.err);
  CHECK(rescanned.exit_code == 0);
  CHECK(says(rescanned.out, "trial 3: failed (no_metric) -> completed with 0."));
  const ShellResult shown = folder.run();
  CHECK(shown.exit_code == 0);
  CHECK(says(shown.out, "m version 1"));
  CHECK(folder.run("--trials 5").exit_code == 0);
  for (const Json& row : folder.table()) CHECK(row[2] == "completed");
  folder.spec["parameters"]["x"]["max"] = 999998;
  CHECK(folder.shell("tune rescan s --spec search.json --store store").exit_code == 6);
  const Json again = Json::parse(folder.shell("tune rescan s --store store --json").out);
  CHECK(again.at("changed").empty());
  CHECK(again.at("unchanged") == 5);
}

}  // namespace
}  // namespace tune::tests
