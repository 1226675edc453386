#include <fstream>

#include "support/catch.h"
#include "tuner/os/atomic_file.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

TEST_CASE("report writes three files that say the same, and prints their names", "[cli]") {
  const SampleStore store;
  const Printed printed = store.run({"report", "steel-legacy"});
  CHECK(printed.code == 0);
  const fs::path folder = store / "steel-legacy/report";
  for (const char* name : {"report.html", "report.md", "report.json"})
    CHECK(contains(printed.out, (folder / name).string() + '\n'));
  CHECK(contains(read_file(folder / "report.html"), "<h1>steel-legacy</h1>"));
  CHECK(read_file(folder / "report.md").starts_with("# steel-legacy\n"));
  CHECK(Json::parse(read_file(folder / "report.json")).at("schema") == 1);
  CHECK(contains(read_file(folder / "report.html"), "crash: exit code 3"));
  CHECK(store.run({"report", "steel-legacy"}).code == 0);  // again, over what is there
}

TEST_CASE("report --json prints the report, and writes only where it is told to", "[cli]") {
  const SampleStore store;
  const Printed printed = store.run({"report", "steel-legacy", "--json"});
  CHECK(printed.code == 0);
  const Json json = Json::parse(printed.out);
  CHECK(json.at("study") == "steel-legacy");
  CHECK(json.at("best").at("trial") == 1);
  CHECK(json.at("trials").at(0).at("curve").at("values") == Json({0.4125}));
  CHECK_FALSE(fs::exists(store / "steel-legacy/report"));
  CHECK(store.run({"report", "steel-legacy", "--json", "--output", (store / "out/deep").string()}).code == 0);
  CHECK(fs::exists(store / "out/deep/report.html"));
}

TEST_CASE("the report's numbers are those of the other commands", "[cli]") {
  const SampleStore store;
  const auto json = [&](const std::string& command) {
    return Json::parse(store.run({command, "steel-legacy", "--json"}).out);
  };
  const Json report = json("report");
  CHECK(report.at("importance") == json("best").at("importance"));
  CHECK(report.at("cost") == json("status").at("cost"));
  Json trials = report.at("trials");
  for (Json& trial : trials) trial.erase("curve");
  CHECK(trials == json("trials").at("trials"));
}

TEST_CASE("report says which study is not there, and where it cannot write", "[cli]") {
  const SampleStore store;
  CHECK(store.run({"report", "steel-lagacy"}).code == 5);
  std::ofstream(store / "file") << "x";
  const Printed printed = store.run({"report", "steel-legacy", "--output", (store / "file").string()});
  CHECK(printed.code == 7);
  CHECK(contains(printed.err, "cannot create"));
}

}  // namespace
}  // namespace tune::cli
