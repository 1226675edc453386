// What a study tells by the commands of its spec.
#include "e2e/study_fixture.h"

namespace tune::tests {
namespace {

Json notify(const std::string& line, std::vector<std::string> on = {"finished", "failed", "best", "budget"}) {
  return {{{"on", std::move(on)}, {"command", {"sh", "-c", line}}}};
}

const std::string kSay = "echo \"$TUNE_EVENT: $TUNE_MESSAGE\" >> messages";

}  // namespace

TEST_CASE("a study tells of its bests and of its end, which it waits for") {
  StudyFolder folder;
  folder.spec["limits"] = {{"trials", 4}, {"parallel", 1}};
  folder.spec["promote"] = {{"model", "m"}};
  folder.spec["notify"] = notify("cp $TUNE_EVENT_FILE last.json; " + kSay);
  const ShellResult run = folder.run();
  CAPTURE(run.out, run.err);
  REQUIRE(run.exit_code == 0);
  const std::string said = folder.shell("cat messages").out;
  CAPTURE(said);
  CHECK(says(said, " is the best so far: loss 0."));  // of bests that wait, the newest alone
  CHECK(says(said, "finished: s has finished (trial limit): best trial "));
  CHECK(says(said, "; promoted: m version 1\n"));
  const Json end = Json::parse(folder.shell("cat last.json").out);
  CHECK(end.at("event") == "finished");
  CHECK(end.at("counts").at("completed") == 4);
  CHECK(end.at("promotion").at("version") == 1);
  CHECK(end.at("best").at("parameters").contains("x"));
  // The same command shows the result again, and tells nobody a second time.
  REQUIRE(folder.run().exit_code == 0);
  CHECK(folder.shell("cat messages").out == said);
}

TEST_CASE("a command that hangs delays no trial, and its failure is said and changes nothing") {
  StudyFolder folder;
  folder.spec["limits"] = {{"trials", 3}, {"parallel", 1}};
  folder.spec["notify"] = notify("echo out of reach >&2; sleep 600", {"best"});
  folder.spec["notify"][0]["time_limit"] = "1s";
  const ShellResult run = folder.run();
  CAPTURE(run.err);
  CHECK(run.exit_code == 0);
  CHECK(
      says(run.err,
           "of \"notify\" failed for \"best\": \"sh\" did not end within 1 s and was killed: out of reach"));
  CHECK(folder.table().size() == 3);
}

TEST_CASE("a study without a result, and one that pauses, tell that they have failed") {
  StudyFolder folder("exit 1");
  folder.spec["limits"] = {{"trials", 2}, {"parallel", 1}};
  folder.spec["notify"] = notify(kSay);
  REQUIRE(folder.run().exit_code == 8);
  CHECK(folder.shell("cat messages").out == "failed: s has failed (trial limit): every trial failed\n");
  folder.spec["study"] = "t";
  folder.spec["limits"]["trials"] = 20;
  REQUIRE(folder.run().exit_code == 7);
  CHECK(says(folder.shell("cat messages").out, "failed: t has paused, and needs somebody: "));
}

TEST_CASE("the time that has ended a study is told") {
  StudyFolder folder("sleep 0.2; echo loss=0.$1");
  folder.spec["limits"] = {{"time", "1s"}, {"parallel", 1}};
  folder.spec["notify"] = notify(kSay, {"budget"});
  REQUIRE(folder.run().exit_code == 0);
  CHECK(folder.shell("cat messages").out == "budget: s: the time limit, 1s, has ended the study\n");
}

TEST_CASE("an end that a killed command has not told is told by the next one") {
  StudyFolder folder;
  folder.spec["limits"] = {{"trials", 2}, {"parallel", 1}};
  folder.spec["notify"] = notify(kSay, {"finished"});
  CHECK(folder.run("", "TUNE_CRASH_AT=study_finished").exit_code == 137);
  CHECK(folder.shell("test -e messages").exit_code == 1);
  REQUIRE(folder.run().exit_code == 0);
  CHECK(says(folder.shell("cat messages").out, "finished: s has finished (trial limit)"));
}

TEST_CASE("a secret of a notification is in no file of the store") {
  StudyFolder folder;
  folder.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  folder.spec["notify"] = notify("test ${#KEY} = 11 && touch knew", {"finished"});
  folder.spec["notify"][0]["environment"] = {{"KEY", {{"from_env", "HIDDEN_KEY"}}}};
  CHECK(folder.run().exit_code == 7);  // not set, and nothing is begun
  CHECK(folder.shell("test -e store").exit_code == 1);
  REQUIRE(folder.run("", "HIDDEN_KEY=much-hidden").exit_code == 0);
  CHECK(folder.shell("test -e knew && ! grep -r much-hidden store").exit_code == 0);
}

}  // namespace tune::tests
