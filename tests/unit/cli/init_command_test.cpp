#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

const std::string kScript = std::string(TUNE_SOURCE_DIR) + "/tests/unit/import/script/scripts/classifier.py";

std::string content_of(const fs::path& file) {
  std::ifstream stream(file);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

TEST_CASE("init writes a spec that the check takes, and says what was guessed and what was not", "[init]") {
  const tests::TemporaryFolder folder;
  const fs::path script = folder.path() / "code/train.py", spec = folder.path() / "search.json";
  write_text(script, content_of(kScript));
  const Printed printed =
      run({"init", "--from-script", script.string(), "--set", "data=.", "--output", spec.string()});
  CHECK(printed.code == 0);
  CHECK(printed.out.empty());
  CHECK_THAT(printed.err, Contains("searched:\n  --batch-size (line "));
  CHECK_THAT(printed.err,
             Contains(R"(= {"type":"float","min":3e-05,"max":0.003,"scale":"log"}: a decade to each side)"));
  CHECK_THAT(printed.err, Contains("left as they are:\n"));
  CHECK_THAT(printed.err, Contains("not understood:\n  line "));
  CHECK_THAT(printed.err, Contains("; the objective\n"));
  CHECK_THAT(printed.err, Contains(" is written: look through its ranges, `tune check "));
  CHECK(Json::parse(content_of(spec)).at("command")[1] ==
        "code/train.py");  // trials begin in the spec's folder
  CHECK(run({"check", spec.string()}).code == 0);
  const Printed refused = run({"init", "--from-script", script.string(), "--output", spec.string()});
  CHECK(refused.code == 6);
  CHECK(run({"init", "--from-script", script.string(), "--output", spec.string(), "--force"}).code == 0);
  CHECK(run({"init", "--from-script", script.string(), "--output", script.string(), "--force"}).code == 2);
  CHECK(run({"init", "--from-script", script.string(), "--output", folder.path().string()}).code == 2);
}

TEST_CASE("init says what a spec lacks, and the check refuses it", "[init]") {
  const tests::TemporaryFolder folder;
  const fs::path script = folder.path() / "train.py", spec = folder.path() / "search.json";
  write_text(script, "p.add_argument('--data', required=True)\np.add_argument('--lr', type=float)\n");
  const Printed printed = run({"init", "--from-script", script.string(), "--output", spec.string()});
  CHECK(printed.code == 0);
  CHECK_THAT(printed.err,
             Contains("is not whole: the script requires --data: give it with --set data=VALUE"));
  CHECK_THAT(printed.err, Contains("is not whole: no print() or logging call was found that tells a metric"));
  CHECK(run({"check", spec.string()}).code == 3);
}

TEST_CASE("init prints its document as JSON", "[init]") {
  const Printed printed = run({"init", "--from-script", kScript, "--json"});
  CHECK(printed.code == 0);
  const Json json = Json::parse(printed.out);
  CHECK(json.at("schema") == 1);
  CHECK(json.at("whole") == false);  // of its data nothing is known
  CHECK(json.at("lacking").size() == 1);
  CHECK(json.at("file").is_null());
  CHECK(json.at("arguments")[0].at("becomes") == "lacking");
  CHECK(json.at("arguments")[1].at("becomes") == "searched");
  CHECK(json.at("metrics")[2] ==
        Json{{"name", "val_acc"}, {"line", json.at("metrics")[1].at("line")}, {"objective", true}});
  CHECK(json.at("not_understood").size() == 2);
}

TEST_CASE("init refuses what is no script of that kind, by what is wrong with it", "[init]") {
  const tests::TemporaryFolder folder;
  const std::string file = (folder.path() / "train.py").string();
  write_text(file, "print('hello')\n");
  CHECK_THAT(run({"init", "--from-script", file}).err,
             Contains("declares no arguments by argparse's add_argument()"));
  CHECK(run({"init", "--from-script", file}).code == 3);
  CHECK(run({"init", "--from-script", file + ".missing"}).code == 5);
  CHECK(run({"init"}).code == 2);
  write_text(file, "p.add_argument('--lr', help='\xff')\n");
  CHECK_THAT(run({"init", "--from-script", file}).err, Contains("is not UTF-8"));
  write_text(file, "p.add_argument('--lr', type=float)\n");
  for (const char* set : {"lr", "=1", "rl=1"}) {
    INFO(set);
    CHECK(run({"init", "--from-script", file, "--set", set}).code == 2);
  }
  CHECK(run({"init", "--from-script", file, "--set", "lr=1", "--set", "lr=2"}).code == 2);
}

}  // namespace
}  // namespace tune::cli
