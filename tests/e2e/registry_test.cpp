// Models as people and several processes handle them: the gate at the end of a study, deaths at each step,
// races, a disk that takes no writes.
#include "study_fixture.h"
#include "support/sanitized.h"

namespace tune::tests {
namespace {

// A study with a model "m" of one version, and another version "m@2".
class Models : public StudyFolder {
 public:
  Models() : StudyFolder("echo loss=0.$1; echo weights of $1 > $TUNE_OUTPUT_DIR/weights") {
    spec["limits"]["trials"] = 2;
    spec["promote"] = {{"model", "m"}};
    REQUIRE(run().exit_code == 0);
    const Json best = Json::parse(shell("tune best s --store store --json").out);
    REQUIRE(shell("tune promote s/" + std::to_string(3 - best.at("trial").get<int>()) +
                  " --to other --store store")
                .exit_code == 0);
  }
  ShellResult tune(const std::string& arguments, const std::string& variables = "") const {
    return shell(variables + " tune " + arguments + " --store store");
  }
  // What is the same however often a command died: aliases, versions, links, files, and how often the alias
  // moved.
  std::string state() const {
    const ShellResult found = shell(
        "tune models m --store store --json | python3 -c 'import json, sys; m = json.load(sys.stdin); "
        "print(m[\"aliases\"], [v[\"version\"] for v in m[\"versions\"]], [(p[\"alias\"], p[\"from\"], "
        "p[\"to\"]) "
        "for p in m[\"promotions\"]])'; readlink store/models/m/current; ls store/models/staging "
        "store/models/m/versions");
    CHECK(found.exit_code == 0);
    return found.out;
  }
};

TEST_CASE("a study's requirement decides at its end, and a refused model can be promoted once it is met") {
  StudyFolder folder(
      "echo loss=0.$1; echo \"{\\\"accuracy\\\": $(cat accuracy)}\" > $TUNE_OUTPUT_DIR/scores.json");
  folder.write("accuracy", "0.8");
  folder.spec["promote"] = {
      {"model", "m"}, {"require", {{"scores", "scores.json"}, {"metrics", {{"accuracy", {{"min", 0.9}}}}}}}};
  const ShellResult refused = folder.run();
  CHECK(refused.exit_code == 1);
  CHECK(says(refused.out + refused.err, "the gate refused it: accuracy is 0.8, below 0.9"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "store/models/m/current"));
  const Json model = Json::parse(folder.shell("tune models m --store store --json").out);
  CHECK(model.at("current").is_null());
  CHECK(model.at("versions").size() == 1);
  CHECK(model.at("promotions").at(0).at("outcome") == "refused");
  // The same command shows the same decision, and asks nobody again.
  CHECK(folder.run().exit_code == 1);
  CHECK(Json::parse(folder.shell("tune models m --store store --json").out).at("promotions").size() == 1);
  CHECK(folder.shell("tune promote s --store store").exit_code == 1);
  folder.write("gate.json", R"({"scores": "scores.json", "metrics": {"accuracy": {"min": 0.7}}})");
  const ShellResult passed = folder.shell("tune promote s --require gate.json --store store");
  CAPTURE(passed.err);
  CHECK(passed.exit_code == 0);
  CHECK(says(passed.out, "it passed the gate: accuracy is 0.8"));
  CHECK(folder.shell("cat store/models/m/current/scores.json").out == "{\"accuracy\": 0.8}\n");
}

TEST_CASE("a change of models that died at any step is made by the same command again", "[.crash]") {
  struct Step {
    const char *point, *command;
  };
  for (const Step& step :
       std::initializer_list<Step>{{"promote_judged", "models promote m@other --to champion"},
                                   {"promote_switch", "models promote m@other --to champion"},
                                   {"promote_switch", "models promote m@other --to current"},
                                   {"promote_link", "models promote m@other --to current"},
                                   {"promote_switch", "models alias set m@other current"},
                                   {"promote_link", "models rollback m@current"},
                                   {"alias_removed", "models alias remove m current"},
                                   {"import_staged", "import-model m.tar.gz --name m"},
                                   {"promote_rename", "import-model m.tar.gz --name m"},
                                   {"promote_record", "import-model m.tar.gz --name m"},
                                   {"model_deleted", "models delete m@2 --yes"},
                                   {"model_moved_away", "models delete m@2 --yes"}}) {
    CAPTURE(step.point, step.command);
    Models calm, stormy;
    for (Models* models : {&calm, &stormy}) {
      REQUIRE(models->tune("export m --format tar.gz --output m.tar.gz").exit_code == 0);
      const bool deletes = says(step.command, "delete"), rolls = says(step.command, "rollback");
      if (deletes) REQUIRE(models->tune("models alias remove m other").exit_code == 0);
      if (rolls) REQUIRE(models->tune("models alias set m@other current").exit_code == 0);
    }
    REQUIRE(calm.tune(step.command).exit_code == 0);
    const ShellResult died = stormy.tune(step.command, "TUNE_CRASH_AT=" + std::string(step.point));
    CAPTURE(died.err);
    REQUIRE(died.exit_code == 137);
    // Again; what the dead one had recorded already is not done twice, and is said not to be there any more.
    const ShellResult again = stormy.tune(step.command);
    const bool was_recorded = says(step.point, "switch") || says(step.point, "link") ||
                              says(step.point, "removed") || says(step.point, "deleted") ||
                              says(step.point, "moved");
    if (!was_recorded) CHECK(again.exit_code == 0);
    CHECK(stormy.tune("models gc").exit_code == 0);
    CHECK(stormy.state() == calm.state());
    CHECK(stormy.tune("models verify").exit_code == 0);
    CHECK(stormy.tune("models gc").out == "nothing to clean up\n");
  }
}

TEST_CASE("an export that died leaves nothing under its name") {
  Models models;
  for (const char* form : {"tar.gz", "dir"}) {
    const std::string command = std::string("export m --format ") + form + " --output out";
    REQUIRE(models.tune(command, "TUNE_CRASH_AT=export_written").exit_code == 137);
    CHECK_FALSE(std::filesystem::exists(models.path() / "out"));
    REQUIRE(models.tune(command).exit_code == 0);
    std::filesystem::remove_all(models.path() / "out");
  }
}

TEST_CASE("of many commands that move one alias at once exactly one wins, and the others end with 6") {
  Models models;
  const ShellResult raced = models.shell(
      "for i in 1 2 3 4 5 6; do (tune models promote m@$((i % 2 + 1)) --to champion --expected none --store "
      "store "
      ">/dev/null 2>&1; echo $?) & done | sort | uniq -c; wait");
  CHECK(raced.out == "      1 0\n      5 6\n");
  const Json log = Json::parse(models.tune("models m --json").out).at("promotions");
  int moves = 0;
  for (const Json& entry : log) moves += entry.at("alias") == "champion";
  CHECK(moves == 1);
}

TEST_CASE("a bit that flips in a promoted file is found, and the version is neither promoted nor exported") {
  Models models;
  models.shell(
      "python3 -c \"p = 'store/models/m/versions/2/weights'; b = bytearray(open(p, 'rb').read()); "
      "b[0] ^= 1; open(p, 'wb').write(b)\"");
  const ShellResult verified = models.tune("models verify m");
  CHECK(verified.exit_code == 7);
  CHECK(says(verified.out, "versions/2/weights is not what was promoted"));
  for (const char* command : {"models promote m@2 --to champion", "models alias set m@2 champion",
                              "export m@2 --format tar.gz --output out"}) {
    const ShellResult refused = models.tune(command);
    CAPTURE(command, refused.err);
    CHECK(refused.exit_code == 7);
    CHECK(says(refused.err, "versions/2/weights is not what was"));
  }
}

TEST_CASE("models on a disk that takes no writes are shown, and nothing is half changed") {
  if (kSanitized) return;
  Models models;
  const std::string before = models.state(),
                    disk = "touch broken; LD_PRELOAD=" TUNE_TEST_BIN_DIR "/libfake_disk.so TUNE_FAKE_DISK=" +
                           (models.path() / "store").string() + " TUNE_FAKE_DISK_READ_ONLY=$PWD/broken ";
  models.shell("cp -r store/models/m/versions/1 theirs");
  for (const char* command :
       {"models promote m@other --to champion", "models alias set m@2 champion", "models approve m@2",
        "models note m@2 seen", "models gc", "import-model theirs --name m"}) {
    const ShellResult refused = models.tune(command, disk);
    CAPTURE(command, refused.err);
    CHECK(refused.exit_code == 7);
    CHECK_FALSE(refused.err.empty());
  }
  for (const char* command : {"models", "models show m@2", "models verify", "models lineage m",
                              "models gc --dry-run", "export m --format dir --output out"}) {
    const ShellResult shown = models.tune(command, disk);
    CAPTURE(command, shown.err);
    CHECK(shown.exit_code == 0);
  }
  CHECK(models.state() == before);
}

}  // namespace
}  // namespace tune::tests
