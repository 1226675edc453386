// Studies that go on without a terminal, and other terminals that watch studies.
#include "e2e/study_fixture.h"

namespace tune::tests {
namespace {

// Trials that wait for the file "go", once they have begun.
constexpr const char* kUntilGo = "touch began.$1; until [ -e go ]; do sleep 0.02; done; echo loss=0.$1";

const std::string kDetach = "tune --spec search.json --store store --detach";
const std::string kUntilBegun = "until ls began.* > /dev/null 2>&1; do sleep 0.02; done\n";

}  // namespace

TEST_CASE("a detached study goes on in a session of its own, and is watched to its end with its exit code") {
  StudyFolder folder(kUntilGo);
  folder.spec["limits"] = {{"trials", 2}, {"parallel", 1}};
  const ShellResult run =
      folder.shell(kDetach + " > begun || exit 9\n" + kUntilBegun +
                   "pid=$(sed -n 's/.*(process \\([0-9]*\\)).*/\\1/p' begun)\n"
                   "[ $(ps -o sid= -p $pid) = $pid ] || exit 8\n"
                   "tune watch s --store store > watched & watch=$!\n"
                   "tune watch s --store store --json > lines & json=$!\n"
                   "until grep -q '^s: 0/2 done, 1 running' watched; do sleep 0.02; done  # at once\n"
                   "sleep 0.7; touch go; wait $watch; echo code $?; wait $json; echo code $?\n"
                   "cat begun watched lines; cat store/s/tune.log");
  CAPTURE(run.out, run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(says(run.out, "code 0\ncode 0\nThe study s goes on by itself (process "));
  CHECK(says(run.out, "to watch it: tune watch s --store "));
  CHECK(says(run.out, "] trial 1 completed: loss 0."));  // of a terminal that is none
  CHECK(says(run.out, "\"event\":\"trial_finished\""));  // of --json
  CHECK(says(run.out, "\"exit_code\":0"));
  CHECK(says(run.out, "] finished: trial limit\n"));
  CHECK(says(run.out, "s: finished (trial limit), 2 of 2 trials: 2 completed"));
  CHECK(folder.table().size() == 2);
}

TEST_CASE("a detached study is stopped from elsewhere, and resumed detached") {
  StudyFolder folder(kUntilGo);
  folder.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  const ShellResult run = folder.shell(
      kDetach + "\n" + kUntilBegun +
      "tune status s --store store | grep words\n"
      "tune watch s --store store > watched & watch=$!\n"
      "sleep 0.4; tune stop s --store store; wait $watch; echo code $?\n"
      "tune status s --store store | grep words\n"
      "touch go; tune resume s --store store --detach --json > begun; tune watch s --store store > watched\n"
      "echo code $?; cat begun");
  CAPTURE(run.out, run.err);
  CHECK(says(run.out, "in the consoles' words: training\n"));
  CHECK(says(run.out, "code 130\n  in the consoles' words: stopped\ncode 0\n"));
  CHECK(says(run.out, "\"watch\":\"tune watch s --store "));
}

TEST_CASE("a study that cannot begin says so where it was asked for, with its exit code") {
  StudyFolder folder;
  const auto refused = [&](const std::string& options = "") { return folder.shell(kDetach + options); };
  folder.spec["command"] = {"/no/such/trainer"};
  const ShellResult no_program = refused();
  CHECK(no_program.exit_code == 7);
  CHECK(says(no_program.err, "/no/such/trainer"));
  CHECK(no_program.out.empty());
  folder.spec["command"] = {"sh", "train.sh", "{{x}}"};
  folder.spec["limits"]["parallels"] = 1;
  CHECK(refused().exit_code == 3);
  folder.spec["limits"].erase("parallels");
  CHECK(refused(" --dry-run").exit_code == 2);
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult ended = refused();  // shows its result, as without --detach
  CHECK(ended.exit_code == 0);
  CHECK(says(ended.out, "s: finished (trial limit)"));
  folder.spec["fixed"]["other"] = 1;
  CHECK(refused().exit_code == 6);
}

TEST_CASE("what is watched at rest shows its result, with the exit code of the command that ended it") {
  StudyFolder folder("exit 1");
  folder.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  CHECK(folder.shell("tune watch s --store store").exit_code == 5);
  REQUIRE(folder.run().exit_code == 8);
  const ShellResult watched = folder.shell("tune watch s --store store");
  CAPTURE(watched.out, watched.err);
  CHECK(watched.exit_code == 8);
  CHECK(says(watched.out, "s: finished (trial limit), 1 of 1 trial: 1 failed"));
}

TEST_CASE("who watches may go, and the study goes on") {
  StudyFolder folder(kUntilGo);
  folder.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  const ShellResult run = folder.shell(kDetach + " > begun\n" + kUntilBegun + kLikeAtPrompt +
                                       "tune watch s --store store & watch=$!\n"
                                       "sleep 0.5; kill -INT $watch; wait $watch; echo code $?\n"
                                       "touch go; tune watch s --store store > watched; echo code $?");
  CAPTURE(run.out, run.err);
  CHECK(says(run.out, "code 130\ncode 0\n"));
  CHECK(says(run.err, "no longer watched; the study goes on\n"));
}

}  // namespace tune::tests
