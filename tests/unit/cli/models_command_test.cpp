// `tune models` with its actions, `tune export` and `tune import-model`.
#include <unistd.h>

#include "support/catch.h"
#include "tuner/endpoint/endpoint_state.h"
#include "tuner/os/file_lock.h"
#include "tuner/os/process.h"
#include "tuner/os/sha256.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

// steel with versions 1 to 3, of which `current` names the first, and copper with one.
class ModelStore : public SampleStore {
 public:
  ModelStore() {
    for (int version = 1; version <= 3; ++version) add("steel", version);
    add("copper", 1);
    registry().promote({"steel", 0, 1, "first version", Json::object(), store::at(0)});
  }
  store::ModelRegistry registry() const {
    fs::create_directories(*this / "models");
    return {*this / "models/registry.db", store::OpenMode::kCreate};
  }
  fs::path folder(int version) const { return *this / ("models/steel/versions/" + std::to_string(version)); }
  Json json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const Printed printed = run(arguments);
    CAPTURE(printed.err);
    REQUIRE(printed.code == 0);
    return Json::parse(printed.out);
  }

 private:
  void add(const std::string& model, int number) const {
    const fs::path place = *this / ("models/" + model + "/versions/" + std::to_string(number));
    write_text(place / "weights", "weights of " + std::to_string(number));
    store::ModelVersion version;
    version.model = model;
    version.version = number;
    version.created = store::at(number);
    version.study = "steel-legacy";
    version.trial = number;
    version.objective = {"validation:mAP", Goal::kMaximize, Reduce::kBest};
    version.value = 0.1 * number;
    version.lineage = {{"data_fingerprint", "f00d"}};
    version.files = {{"weights", 12, sha256_of_file(place / "weights")}};
    registry().insert_version(version);
  }
};

TEST_CASE("an alias is set with what it is expected to name, promoted to, rolled back and removed",
          "[models]") {
  const ModelStore store;
  CHECK(store.run({"models", "alias", "set", "steel@2", "champion", "--expected", "none"}).out ==
        "steel@champion is version 2\n");
  const Printed moved = store.run({"models", "alias", "set", "steel@3", "champion", "--expected", "none"});
  CHECK(moved.code == 6);
  CHECK_THAT(moved.err, Contains("champion of steel names version 2, not no version any more"));
  const Printed promoted = store.run(
      {"models", "promote", "steel@3", "--to", "champion", "--expected", "2", "--note", "it is sharper"});
  CHECK(promoted.code == 0);
  CHECK(promoted.out == "steel@champion is version 3: promoted by a person: it is sharper\n");
  CHECK(store.run({"models", "rollback", "steel", "--alias", "champion"}).out ==
        "steel@champion is version 2\n");
  CHECK(store.run({"models", "rollback", "steel@champion"}).code == 5);  // there was none before
  const Json model = store.json({"models", "steel"});
  CHECK(model.at("aliases") == Json{{"champion", 2}, {"current", 1}});
  CHECK(model.at("versions").at(1).at("aliases") == Json::array({"champion"}));
  CHECK(model.at("promotions").size() == 4);
  CHECK(model.at("promotions").at(3).at("alias") == "champion");
  CHECK(model.at("promotions").at(3).at("outcome") == "moved");
  CHECK(store.run({"models", "alias", "remove", "steel", "champion"}).out ==
        "steel has no alias champion any more\n");
  CHECK(store.json({"models", "steel"}).at("aliases") == Json{{"current", 1}});
  CHECK_THAT(store.run({"models", "steel"}).out, Contains("champion 2 -> none  removed by a person"));
}

TEST_CASE("people approve, reject and remark, and a version shows it", "[models]") {
  const ModelStore store;
  CHECK(store.run({"models", "approve", "steel@2", "--note", "seen by two"}).out ==
        "steel version 2 is approved\n");
  CHECK(store.run({"models", "note", "steel@2", "from the new line"}).code == 0);
  CHECK(store.run({"models", "reject", "steel@3"}).out == "steel version 3 is rejected\n");
  CHECK(store.run({"models", "promote", "steel@3", "--to", "champion"}).code == 6);
  CHECK(store.run({"models", "reject", "steel"}).code == 6);  // current
  CHECK(store.run({"models", "reopen", "steel@3"}).out == "steel version 3 is pending\n");
  const Json version = store.json({"models", "show", "steel@2"});
  CHECK(version.at("approval") == "approved");
  CHECK(version.at("remarks").size() == 2);
  CHECK(version.at("remarks").at(1).at("text") == "from the new line");
  CHECK(version.at("lineage").at("data_fingerprint") == "f00d");
  const std::string shown = store.run({"models", "show", "steel@2"}).out;
  CHECK_THAT(shown, Contains("approval: approved") && Contains("approved: seen by two") &&
                        Contains("note: from the new line") && Contains("data_fingerprint: f00d"));
  CHECK_THAT(store.run({"models", "list", "steel"}).out, Contains("approved") && Contains("pending"));
}

TEST_CASE("a version that an alias or a live endpoint names is not deleted", "[models]") {
  const ModelStore store;
  CHECK(store.run({"models", "delete", "steel@1", "--yes"}).code == 6);
  CHECK(store.run({"models", "delete", "steel", "--yes"}).code == 2);  // which version?
  const fs::path folder = store / "endpoints/line";
  endpoint::EndpointState state;
  state.name = "line";
  state.state = endpoint::State::kDeployed;
  state.asked = {"steel", 2, ""};
  state.version = 2;
  state.adapters["small"] = {"copper", 1};
  state.pid = ::getpid();  // its supervisor, as long as this test works
  state.start_time = process_info(::getpid())->start_time;
  state.boot_id = boot_id();
  const auto record = [&] { write_text(folder / "state.json", endpoint::state_json(state).dump()); };
  record();
  {
    std::string holder;
    const auto lock = FileLock::try_once(folder / "lock", holder);
    REQUIRE(lock);
    const Printed live = store.run({"models", "delete", "steel@2", "--yes"});
    CHECK(live.code == 6);
    CHECK_THAT(live.err,
               Contains("the endpoint line answers with steel@2") && Contains("tune undeploy line"));
    CHECK(store.run({"models", "delete", "copper@1", "--yes"}).code == 6);
    CHECK(store.json({"models", "lineage", "steel@2"}).at("endpoints") == Json::array({"line"}));
    CHECK_THAT(store.run({"models", "lineage", "steel@2"}).out, Contains("  the endpoint line\n"));
    state.state = endpoint::State::kDeploying;
    state.version = 0;
    record();
    CHECK(store.run({"models", "delete", "steel@3", "--yes"}).code == 6);  // it may be this one
    write_text(folder / "state.json", "[");
    CHECK(store.run({"models", "delete", "steel@3", "--yes"}).code == 7);
  }
  state.state = endpoint::State::kDeployed;
  state.version = 2;
  state.start_time += 1;
  record();
  // Its supervisor is gone.
  const Printed gone = store.run({"models", "delete", "steel@2", "--yes"});
  CHECK(gone.code == 0);
  CHECK(gone.out == "steel@2 is deleted; 0.0 kB are free again\n");
  CHECK_FALSE(fs::exists(store.folder(2)));
  CHECK(store.run({"models", "show", "steel@2"}).code == 5);
  CHECK(store.json({"models", "steel"}).at("versions").size() == 2);
}

TEST_CASE("cleaning up says what it found, and only looks where it is told to", "[models]") {
  const ModelStore store;
  CHECK_THAT(store.run({"models", "gc", "--dry-run"}).out,
             Contains("a link that led elsewhere, would be mended"));
  CHECK(store.run({"models", "gc"}).code == 0);
  CHECK(store.run({"models", "gc"}).out == "nothing to clean up\n");
  write_text(store.folder(9) / "weights", "123");
  write_text(store / "models/staging/half/weights", "12345");
  const Json looked = store.json({"models", "gc", "--dry-run", "--remove"});
  CHECK(looked.at("freed_bytes") == 8);
  CHECK(looked.at("found").size() == 2);
  CHECK_THAT(store.run({"models", "gc"}).out, Contains("kept: the registry does not know it"));
  CHECK_THAT(store.run({"models", "gc", "--adopt"}).out, Contains("adopted as version 9"));
  CHECK_THAT(store.run({"models", "steel"}).out, Contains("brought along"));
  CHECK(store.run({"models", "gc", "--adopt", "--remove"}).code == 2);
}

TEST_CASE("an action gets its arguments and options, and no others", "[models]") {
  const ModelStore store;
  const auto says = [&](const std::vector<std::string>& arguments, int code, const std::string& text) {
    const Printed printed = store.run(arguments);
    CAPTURE(arguments.back(), printed.err);
    CHECK(printed.code == code);
    CHECK_THAT(printed.err, Contains(text));
  };
  says({"models", "show"}, 2, "NAME@V is missing");
  says({"models", "show", "steel@1", "steel@2"}, 2, "one argument too many");
  says({"models", "promote", "steel@1"}, 2, "--to ALIAS is missing");
  says({"models", "promote", "steel@1", "--to", "Champion"}, 2, "cannot be an alias");
  says({"models", "promote", "steel@1", "--to", "champion", "--yes"}, 2,
       "--yes does not go with `tune models promote`");
  says({"models", "note", "steel@1"}, 2, "TEXT is missing");
  says({"models", "alias", "steel@1", "champion"}, 2, "what is to become of the alias is missing");
  says({"models", "alias", "remove", "steel@1", "champion"}, 2, "an alias is a model's");
  says({"models", "rollback", "steel@1"}, 2, "not to one by its number");
  says({"models", "aprove", "steel@1"}, 2, "did you mean \"tune models approve\"?");
  says({"models", "steel", "--to", "champion"}, 2, "--to does not go with `tune models list`");
  says({"models", "alias", "set", "steel@1", "champion", "--expected", "x"}, 2, "or none, not \"x\"");
  says({"models", "show", "steel@9"}, 5, "steel has no version 9");
  says({"models", "show", "steel@champion"}, 5, "its aliases: current");
  says({"models", "show", "stel"}, 5, "did you mean \"steel\"?");
  says({"models", "promote", "steel@1", "--to", "champion", "--require", "none.json"}, 5, "none.json");
  const SampleStore empty;
  CHECK(empty.run({"models", "promote", "steel@1", "--to", "champion"}).code == 5);
  CHECK(empty.run({"models", "show", "steel@1"}).code == 5);
  CHECK(empty.run({"export", "steel", "--format", "dir", "--output", "x"}).code == 5);
  CHECK(empty.run({"models", "gc"}).code == 0);
  CHECK_FALSE(fs::exists(empty / "models"));
}

TEST_CASE("a requirement in a file refuses a version with exit code 1, and the log keeps the numbers",
          "[models]") {
  const ModelStore store;
  write_text(store / "gate.json", R"({"scores": "s.json", "metrics": {"accuracy": {"min": 0.9}}})");
  write_text(store / "bad.json", R"({"accuracy": 0.8})");
  write_text(store / "good.json", R"({"accuracy": 0.95})");
  const auto promote = [&](const std::string& scores) {
    return store.run({"models", "promote", "steel@2", "--to", "champion", "--require",
                      (store / "gate.json").string(), "--scores", (store / scores).string()});
  };
  const Printed bad = promote("bad.json");
  CHECK(bad.code == 1);
  CHECK(bad.out == "Not promoted: the gate refused it: accuracy is 0.8, below 0.9\n");
  const Printed good = promote("good.json");
  CHECK(good.code == 0);
  const Json log = store.json({"models", "steel"}).at("promotions");
  CHECK(log.at(1).at("outcome") == "refused");
  CHECK(log.at(1).at("evidence").at("gate").at("metrics").at(0).at("value") == 0.8);
  CHECK(log.at(2).at("evidence").at("gate").at("scores").at("2").at("sha256").get<std::string>().size() ==
        64);
  CHECK_THAT(store.run({"models", "steel"}).out, Contains("champion none -/-> 2  the gate refused it"));
}

TEST_CASE("a model goes out and comes in on the command line", "[models]") {
  const ModelStore store;
  const std::string archive = (store / "steel.tar.gz").string();
  const Printed out = store.run({"export", "steel@2", "--format", "tar.gz", "--output", archive});
  CHECK(out.code == 0);
  CHECK_THAT(out.out, Contains("steel version 2 is in " + archive + ": 3 files"));
  CHECK(store.run({"export", "steel@2", "--format", "tar.gz", "--output", archive}).code == 6);
  CHECK_THAT(store.run({"export", "steel@2", "--format", "zip", "--output", archive}).err,
             Contains("there is no format \"zip\""));
  const Printed in = store.run({"import-model", archive, "--name", "copy", "--note", "by post"});
  CHECK(in.code == 0);
  CHECK_THAT(in.out, Contains("copy version 1, 1 files: "));
  CHECK_THAT(in.err, Contains("tune models promote copy@1 --to ALIAS"));
  const Json copy = store.json({"models", "show", "copy@1"});
  CHECK(copy.at("value") == 0.2);
  CHECK(copy.at("study").is_null());
  CHECK(copy.at("remarks").at(0).at("text") == "by post");
  write_text(archive, "no archive");
  CHECK(store.run({"import-model", archive, "--name", "copy"}).code == 65);
}

}  // namespace
}  // namespace tune::cli
