// The best trials again on other seeds, with real processes.
#include "e2e/study_fixture.h"

namespace tune::tests {
namespace {

// Most of the loss is a draw by the seed.
constexpr const char* kNoisy =
    "echo loss=0.$(( ($1 / 100000) * 10 + (TUNE_SEED * 7919) % 71 + 100 ))\n"
    "echo weights of $TUNE_TRIAL_FILE > $TUNE_OUTPUT_DIR/weights";

void ask_for_replicates(StudyFolder& folder) {
  folder.spec["limits"] = {{"trials", 6}, {"parallel", 2}};
  folder.spec["replicates"] = {{"top", 2}, {"seeds", 3}};
  folder.spec["promote"] = {{"model", "m"}};
}

Json replicates_of(const StudyFolder& folder) {
  const ShellResult listed = folder.shell("tune trials s --store store --json");
  REQUIRE(listed.exit_code == 0);
  Json rows = Json::array();
  const Json document = Json::parse(listed.out);
  for (const Json& trial : document.at("trials"))
    if (!trial.at("replicate_of").is_null()) rows.push_back(trial);
  return rows;
}

}  // namespace

TEST_CASE("the best trials run again, and what holds over seeds is shown and promoted") {
  StudyFolder folder(kNoisy);
  ask_for_replicates(folder);
  const ShellResult run = folder.run();
  CAPTURE(run.err, run.out);
  REQUIRE(run.exit_code == 0);
  CHECK(says(run.err, "the search has ended: its best 2 trials run again, on up to 3 fresh seeds each"));
  CHECK(says(run.err, "by its replicates, trial "));
  CHECK(says(run.err, "(replicate of trial "));
  CHECK(says(run.out, "6 of 6 trials and "));
  CHECK(says(run.out, "On other seeds:\n"));
  const Json replicates = replicates_of(folder);
  CHECK(replicates.size() >= 2);
  CHECK(replicates.size() <= 6);
  const Json best = Json::parse(folder.shell("tune best s --store store --json").out);
  const Json seeds = best.at("replicates");
  CHECK(seeds.at("trial") == best.at("trial"));
  CHECK(seeds.at("seeds").get<int>() >= 2);
  CHECK(seeds.at("luck").is_number());
  CHECK(seeds.at("bound").get<double>() >= seeds.at("mean").get<double>());
  CHECK(says(folder.shell("tune best s --store store").out, "  over "));
  CHECK(says(folder.shell("tune trials s --store store").out, "replicate of trial "));
  CHECK(says(
      folder.shell("tune show s/" + std::to_string(replicates[0].at("trial").get<int>()) + " --store store")
          .out,
      "replicate of: trial "));
  // The promoted run is one of the winner's, the best of them.
  const Json models = Json::parse(folder.shell("tune models m --store store --json").out);
  const int promoted = models.at("versions").at(0).at("trial");
  double least = best.at("value").get<double>();
  int least_is = best.at("trial");
  for (const Json& trial : replicates)
    if (trial.at("replicate_of") == best.at("trial") && trial.at("value").get<double>() < least) {
      least = trial.at("value").get<double>();
      least_is = trial.at("trial");
    }
  CHECK(promoted == least_is);
  // The same command shows it again, and starts nothing.
  CHECK(folder.run().exit_code == 0);
  CHECK(replicates_of(folder).size() == replicates.size());
  // More trials are searched, and their best repeated.
  const ShellResult more = folder.shell("tune resume s --trials 9 --store store");
  CAPTURE(more.err);
  CHECK(more.exit_code == 0);
  CHECK(folder.table().size() == 9 + replicates_of(folder).size());
  CHECK(folder.shell("tune report s --store store --output report").exit_code == 0);
  CHECK(says(folder.shell("cat report/*.md").out, "On other seeds"));
}

TEST_CASE("replicates that are added to the spec of a study that has ended are run by the same command") {
  StudyFolder folder(kNoisy);
  ask_for_replicates(folder);
  folder.spec.erase("replicates");
  REQUIRE(folder.run().exit_code == 0);
  CHECK(folder.table().size() == 6);
  folder.spec["replicates"] = {{"top", 1}, {"seeds", 2}};
  const ShellResult run = folder.run();
  CAPTURE(run.err);
  CHECK(run.exit_code == 0);
  CHECK(folder.table().size() == 8);
}

TEST_CASE("a study that is killed among its replicates ends as if it had not been") {
  StudyFolder calm(kNoisy);
  ask_for_replicates(calm);
  calm.spec["limits"]["parallel"] = 1;
  REQUIRE(calm.run().exit_code == 0);
  for (const char* point : {"trial_committed:8", "attempt_spawned:7", "trial_ended:7", "before_end:9"}) {
    CAPTURE(point);
    StudyFolder stormy(kNoisy);
    ask_for_replicates(stormy);
    stormy.spec["limits"]["parallel"] = 1;
    REQUIRE(stormy.run("", "TUNE_CRASH_AT=" + std::string(point)).exit_code == 137);
    const ShellResult again = stormy.run();
    CAPTURE(again.err);
    REQUIRE(again.exit_code == 0);
    CHECK(stormy.table() == calm.table());
    CHECK(stormy.shell("tune best s --store store --json").out ==
          calm.shell("tune best s --store store --json").out);
  }
}

TEST_CASE("a lucky repeat of the best trial asks for no replicates, so a study that has ended stays ended") {
  StudyFolder folder("if [ -e lucky ]; then echo loss=0.001; else echo loss=0.$1; fi");
  folder.spec["limits"] = {{"trials", 3}, {"parallel", 1}};
  folder.spec["replicates"] = {{"top", 1}, {"seeds", 1}};
  REQUIRE(folder.run().exit_code == 0);
  REQUIRE(folder.table().size() == 4);
  const std::string best =
      Json::parse(folder.shell("tune best s --store store --json").out).at("trial").dump();
  const ShellResult repeated =
      folder.shell("touch lucky; tune rerun s/" + best + " --store store && tune resume s --store store");
  CAPTURE(repeated.out, repeated.err);
  REQUIRE(repeated.exit_code == 0);
  CHECK_FALSE(says(repeated.err, "left no room for all replicates"));
  const ShellResult again = folder.run();
  CAPTURE(again.out, again.err);
  CHECK(says(again.out + again.err, "the study has ended (trial limit)"));
  CHECK(folder.table().size() == 5);
}

TEST_CASE("ask-tell hands out replicates, and the best says what they have shown") {
  StudyFolder folder;
  folder.spec["limits"] = {{"trials", 2}};
  folder.spec["replicates"] = {{"top", 1}, {"seeds", 2}};
  folder.write(
      "requests",
      "{\"ask\": 2}\n{\"tell\": {\"trial\": 1, \"value\": 0.5}}\n{\"tell\": {\"trial\": 2, \"value\": 0.1}}\n"
      "{\"ask\": 3}\n{\"tell\": {\"trial\": 3, \"value\": 0.3}}\n{\"tell\": {\"trial\": 4, \"value\": "
      "0.32}}\n"
      "{\"ask\": 1}\n{\"best\": true}");
  const ShellResult session = folder.shell("tune ask-tell --spec search.json <requests");
  CAPTURE(session.out, session.err);
  REQUIRE(session.exit_code == 0);
  CHECK(says(session.out, "{\"trials\":[{\"trial\":3,"));
  CHECK(says(session.out, "\"replicate_of\":2},{\"trial\":4,"));
  CHECK(says(session.out, "{\"trials\":[],\"exhausted\":true}"));
  CHECK(says(session.out, "{\"trial\":2,\"value\":0.1,"));
  CHECK(says(session.out, "\"seeds\":3,\"mean\":0.31"));
}

}  // namespace tune::tests
