// Trials that wait with their checkpoints, with real processes.
#include "e2e/study_fixture.h"

namespace tune::tests {
namespace {

// An epoch a twentieth of a second; goes on behind the last epoch that it saved.
constexpr const char* kResumable =
    "e=$(cat \"$TUNE_CHECKPOINT_DIR/last\" 2>/dev/null || echo 0)\n"
    "while [ $e -lt 9 ]; do\n"
    "  e=$((e + 1)); sleep 0.05; echo $e > \"$TUNE_CHECKPOINT_DIR/last\"; echo epoch=$e loss=0.$1\n"
    "done\n"
    "echo weights of $1 > \"$TUNE_OUTPUT_DIR/weights\"";

Json pausing_rule() {
  return {{"rule", "asha"}, {"form", "pause"}, {"max_step", 9}, {"start_step", 1}, {"reduction_factor", 3}};
}

int count_in(const Json& table, const std::string& state) {
  int count = 0;
  for (const Json& row : table) count += row.at(2) == state;
  return count;
}

}  // namespace

TEST_CASE("a study pauses trials, goes on with the best, and gives the rest a chance when it is resumed") {
  StudyFolder folder(kResumable);
  folder.spec["metrics"] = {{{"name", "loss"}, {"regex", "loss=([0-9.]+)"}, {"step", "epoch=([0-9]+)"}}};
  folder.spec["early_stopping"] = pausing_rule();
  folder.spec["limits"] = {{"trials", 9}, {"parallel", 1}};
  folder.spec["strategy"]["seed"] = 4;
  folder.spec["promote"] = {{"model", "m"}};
  const ShellResult run = folder.run();
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(says(run.err, "paused at step 1: loss "));
  CHECK(says(run.err, "early stopping: rungs at steps 1 and 3 of 9: 1 trial of 3 goes on"));
  CHECK(says(run.err, " goes on (attempt 2): place "));
  const Json table = folder.table();
  REQUIRE(table.size() == 9);
  CHECK(count_in(table, "completed") >= 1);
  CHECK(count_in(table, "paused") == 9 - count_in(table, "completed"));
  // The best of all trials is the best of those that completed, and was promoted.
  Json best = table[0];
  for (const Json& row : table)
    if (row.at(1).at("x") < best.at(1).at("x")) best = row;
  CHECK(best.at(2) == "completed");
  CHECK(folder.shell("cat store/models/m/current/weights").out ==
        "weights of " + std::to_string(best.at(1).at("x").get<int>()) + "\n");
  // Only those that wait keep their checkpoints, beside the winner.
  CHECK(folder.shell("ls store/s/trials/*/checkpoints/last | wc -l").out ==
        std::to_string(count_in(table, "paused") + 1) + "\n");
  CHECK(says(folder.shell("tune status s --store store").out, "paused"));
  CHECK(
      folder.shell("tune show s/" + std::to_string(table[0].at(0).get<int>()) + " --store store").exit_code ==
      0);
  const ShellResult more = folder.shell("tune resume s --trials 18 --store store");
  CAPTURE(more.err);
  REQUIRE(more.exit_code == 0);
  CHECK(folder.table().size() == 18);
}

TEST_CASE("a study whose trainer saves nothing goes on with stopping, and says so") {
  StudyFolder folder("for e in 1 2 3 4 5 6 7 8 9; do sleep 0.05; echo epoch=$e loss=0.$1; done");
  folder.spec["metrics"] = {{{"name", "loss"}, {"regex", "loss=([0-9.]+)"}, {"step", "epoch=([0-9]+)"}}};
  folder.spec["early_stopping"] = pausing_rule();
  folder.spec["limits"] = {{"trials", 9}, {"parallel", 2}};
  const ShellResult run = folder.run();
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(says(run.err, "left no checkpoint to go on from: from here on the rule stops"));
  CHECK(count_in(folder.table(), "paused") == 0);
  CHECK(count_in(folder.table(), "completed") >= 1);
}

TEST_CASE("a study ends when its target is reached, and a harder one lets it go on") {
  StudyFolder folder;
  folder.spec["limits"] = {{"trials", 30}, {"parallel", 1}, {"target", 0.9}};
  const ShellResult run = folder.run();
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(says(run.err, "limits.target is reached: loss "));
  CHECK(folder.table().size() < 30);
  const ShellResult again = folder.run();
  CHECK(again.exit_code == 0);
  CHECK(says(again.err, "tune resume s --target X"));
  const ShellResult more = folder.shell("tune resume s --target 0.0001 --no-improvement 3 --store store");
  CHECK(more.exit_code == 0);
  CHECK(says(more.err, "3 trials in a row brought nothing better"));
}

}  // namespace tune::tests
