// A search that learns from an earlier one, at the real program.
#include <algorithm>

#include "study_fixture.h"

namespace tune::tests {
namespace {

const char* kBowl =
    "echo loss=$(awk -v x=$1 -v y=$2 'BEGIN { printf \"%.6f\", (x - 0.3) ^ 2 + (y - 0.7) ^ 2 }')";

// The same bowl for every study; `name` learns from "first" unless it is "first".
void write_spec(StudyFolder& folder, const std::string& name, int trials, const std::string& kind) {
  folder.spec["study"] = name;
  folder.spec["parameters"] = Json::object();
  for (const char* parameter : {"x", "y"})
    folder.spec["parameters"][parameter] = {{"type", "float"}, {"min", 0}, {"max", 1}};
  folder.spec["command"] = {"sh", "train.sh", "{{x}}", "{{y}}"};
  folder.spec["strategy"] = {{"name", "bayesian"}, {"seed", 8}};
  folder.spec["limits"] = {{"trials", trials}, {"parallel", 1}};
  folder.spec.erase("warm_start");
  if (name != "first") folder.spec["warm_start"] = {{{"study", "first"}, {"kind", kind}}};
}

Json parameters_and_values(const Json& table) {
  Json rows = Json::array();
  for (const Json& row : table) rows.push_back({row[1], row[3]});
  return rows;
}

TEST_CASE("a warm-started study resumes with the same suggestions after its parent is gone") {
  for (const char* kind : {"identical", "transfer"}) {
    CAPTURE(kind);
    StudyFolder folder(kBowl);
    write_spec(folder, "first", 12, kind);
    REQUIRE(folder.run().exit_code == 0);
    double best = 1;
    for (const Json& row : folder.table("first")) best = std::min(best, row[3].get<double>());
    write_spec(folder, "whole", 8, kind);
    REQUIRE(folder.run().exit_code == 0);
    write_spec(folder, "halved", 4, kind);
    const ShellResult begun = folder.run();
    REQUIRE(begun.exit_code == 0);
    CHECK(begun.err.find("learns from 12 of 12 trials of \"first\"") != std::string::npos);
    REQUIRE(folder.shell("rm -r store/first && tune resume halved --trials 8 --store store").exit_code == 0);
    const Json table = folder.table("whole");
    CHECK(parameters_and_values(folder.table("halved")) == parameters_and_values(table));
    CHECK(table[0][3] == best);
    // A random point is as near in one of three trials; a search that knows the bowl looks elsewhere seldom.
    const auto is_near = [](const Json& row) { return row[3].get<double>() < 0.1; };
    CHECK(std::count_if(table.begin(), table.end(), is_near) >= (std::string(kind) == "identical" ? 6 : 5));
  }
}

TEST_CASE("asking and telling starts warm from its store, and says that it needs one") {
  StudyFolder folder(kBowl);
  write_spec(folder, "first", 12, "identical");
  REQUIRE(folder.run().exit_code == 0);
  write_spec(folder, "second", 8, "identical");
  const std::string ask = "echo '{\"ask\": 1}' | tune ask-tell --spec search.json";
  const ShellResult homeless = folder.shell(ask);
  CHECK(homeless.exit_code == 2);
  CHECK(homeless.err.find("add --store DIR") != std::string::npos);
  const ShellResult warm = folder.shell(ask + " --store store");
  CHECK(warm.exit_code == 0);
  CHECK(warm.err.find("learns from 12 of 12 trials") != std::string::npos);
  const Json best = Json::parse(folder.shell("tune best first --store store --json").out);
  CHECK(Json::parse(warm.out).at("trials").at(0).at("parameters") == best.at("parameters"));
}

TEST_CASE("an earlier study that is not there is an error of the spec, before anything is made") {
  StudyFolder folder(kBowl);
  write_spec(folder, "second", 8, "transfer");
  for (const char* options : {"", "--dry-run"}) {
    const ShellResult run = folder.run(options);
    CHECK(run.exit_code == 3);
    CHECK(run.err.find("/warm_start/0/study: there is no study \"first\"") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(folder.path() / "store/second"));
}

}  // namespace
}  // namespace tune::tests
