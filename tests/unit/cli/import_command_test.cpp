#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

const fs::path kRequests = fs::path(TUNE_SOURCE_DIR) / "tests/unit/import/requests";

std::string request(const std::string& name) { return (kRequests / name).string(); }

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

TEST_CASE("an import prints the spec, and beside it what became of each field", "[import]") {
  const Printed printed =
      run({"import", "amt", request("hyperband-warm-start.json"), "--command", "python3 train.py"});
  CHECK(printed.code == 0);
  const Json spec = Json::parse(printed.out);
  CHECK(spec.at("strategy").at("name") == "hyperband");
  CHECK_THAT(printed.err, Contains("strategy.max_resource = 27 from MaxResource (line 6)"));
  CHECK_THAT(printed.err, Contains("ignored:\n"));
  CHECK_THAT(
      printed.err,
      Contains(
          "RoleArn (line 39), VpcConfig (line 40): permissions, networks and keys of AWS mean nothing here"));
  CHECK_THAT(printed.err, Contains("not mapped:\n"));
  CHECK_THAT(printed.err, Contains("EnableNetworkIsolation (line 52): a trainer may reach the network here"));
  CHECK_FALSE(contains(printed.err, "hf_123"));  // what may be a secret
}

TEST_CASE("what is imported passes the check, and lacks a command where none is known", "[import]") {
  const tests::TemporaryFolder folder;
  const std::string file = (folder.path() / "search.json").string();
  const Printed whole =
      run({"import", "amt", request("described-linear-learner.json"), "--command", "true", "--output", file});
  CHECK(whole.code == 0);
  CHECK(whole.out.empty());
  CHECK_THAT(whole.err, Contains("is written: `tune check "));
  CHECK(run({"check", file}).code == 0);
  const Printed lacking =
      run({"import", "amt", request("described-linear-learner.json"), "--output", file, "--force"});
  CHECK(lacking.code == 0);
  CHECK_THAT(lacking.err, Contains("does not say how a trial is trained: import again with --command"));
  const Printed refused = run({"check", file});
  CHECK(refused.code == 3);
  CHECK_THAT(refused.err, Contains("there is neither \"trainer\" nor \"command\", so nothing would train"));
}

TEST_CASE("a file is written over with --force alone", "[import]") {
  const tests::TemporaryFolder folder;
  const fs::path file = folder.path() / "search.json";
  write_text(file, "mine");
  const Printed refused = run({"import", "amt", request("pytorch-script.json"), "--output", file.string()});
  CHECK(refused.code == 6);
  CHECK_THAT(refused.err, Contains("is there already\n  choose another name, or write over it with --force"));
  CHECK(text_of(file) == "mine");
  CHECK(run({"import", "amt", request("pytorch-script.json"), "--output", file.string(), "--force"}).code ==
        0);
  CHECK(Json::parse(text_of(file)).at("study") == "pytorch-training-220711-1526");
  CHECK(run({"import", "amt", request("pytorch-script.json"), "--output", folder.path().string()}).code == 2);
  const fs::path job = folder.path() / "job.json";
  fs::copy(request("pytorch-script.json"), job);
  const Printed itself = run({"import", "amt", job.string(), "--output", job.string(), "--force"});
  CHECK(itself.code == 2);
  CHECK_THAT(itself.err, Contains("is the request itself"));
  CHECK(text_of(job) == text_of(request("pytorch-script.json")));
}

TEST_CASE("several definitions are files of their own, all or none", "[import]") {
  const tests::TemporaryFolder folder;
  const std::string output = (folder.path() / "search.json").string();
  const Printed unsaid = run({"import", "amt", request("two-algorithms.json")});
  CHECK(unsaid.code == 2);
  CHECK_THAT(unsaid.err, Contains("choose one with --definition, or write all with --output search.json"));
  write_text(folder.path() / "search-forest.json", "mine");
  CHECK(run({"import", "amt", request("two-algorithms.json"), "--output", output}).code == 6);
  CHECK_FALSE(fs::exists(folder.path() / "search-xgboost.json"));
  fs::remove(folder.path() / "search-forest.json");
  CHECK(run({"import", "amt", request("two-algorithms.json"), "--output", output}).code == 0);
  CHECK(Json::parse(text_of(folder.path() / "search-xgboost.json")).at("study") == "churn-two-xgboost");
  CHECK(Json::parse(text_of(folder.path() / "search-forest.json")).at("study") == "churn-two-forest");
  CHECK(Json::parse(run({"import", "amt", request("two-algorithms.json"), "--definition", "forest"}).out)
            .at("study") == "churn-two-forest");
}

TEST_CASE("where one of several specs cannot be written none is", "[import]") {
  const tests::TemporaryFolder folder;
  // The name of the second definition is the longer one, so there is a length at which its file alone has
  // none.
  std::string text = text_of(request("two-algorithms.json"));
  for (std::size_t at = 0; (at = text.find("\"forest\"", at)) != std::string::npos; ++at)
    text.replace(at, 8, "\"forest-of-trees\"");
  write_text(folder.path() / "job.json", text);
  Printed printed;
  for (std::size_t length = 150; length < 250 && printed.code == 0; ++length) {
    const std::string stem(length, 's');
    for (const char* name : {"-xgboost.json", "-forest-of-trees.json"})
      fs::remove(folder.path() / (stem + name));
    printed = run({"import", "amt", (folder.path() / "job.json").string(), "--force", "--output",
                   (folder.path() / (stem + ".json")).string()});
    if (printed.code != 0) CHECK_FALSE(fs::exists(folder.path() / (stem + "-xgboost.json")));
  }
  CHECK(printed.code == 7);
}

TEST_CASE("as JSON an import is the specs and what became of each field", "[import]") {
  const Printed printed = run({"import", "amt", request("object-detection.json"), "--json"});
  CHECK(printed.code == 0);
  CHECK(printed.err.empty());
  const Json document = Json::parse(printed.out);
  CHECK(document.at("schema") == 1);
  CHECK(document.at("searches").at(0).at("spec").at("trainer").at("task") == "detection");
  CHECK(document.at("searches").at(0).at("file").is_null());
  CHECK(document.at("mapped").at(0) == Json({{"study", "od-bayes-01"},
                                             {"from", "/HyperParameterTuningJobName"},
                                             {"line", 2},
                                             {"to", "/study"},
                                             {"value", "od-bayes-01"},
                                             {"note", ""}}));
  for (const char* list : {"ignored", "unmapped"})
    for (const Json& each : document.at(list)) {
      CHECK(each.at("line") > 0);
      CHECK_FALSE(each.at("reason").get<std::string>().empty());
    }
  CHECK(document.at("warnings").is_array());
}

TEST_CASE("a wrong request is refused with every mistake, and as JSON too", "[import]") {
  const tests::TemporaryFolder folder;
  const fs::path file = folder.path() / "job.json";
  std::string text = text_of(request("object-detection.json"));
  const auto replace = [&](const std::string& old_part, const std::string& new_part) {
    REQUIRE(contains(text, old_part));
    text.replace(text.find(old_part), old_part.size(), new_part);
  };
  replace("\"Bayesian\"", "\"bayes\"");
  replace("\"MinValue\": \"1e-6\"", "\"MinValue\": \"-1\"");
  write_text(file, text);
  const Printed refused =
      run({"import", "amt", file.string(), "--output", (folder.path() / "search.json").string()});
  CHECK(refused.code == 3);
  CHECK_THAT(
      refused.err,
      Contains("job.json:4:17 /HyperParameterTuningJobConfig/Strategy: \"bayes\" is not a valid Strategy"));
  CHECK_THAT(refused.err,
             Contains("/ContinuousParameterRanges/0/ScalingType: Logarithmic needs values greater than 0"));
  CHECK_FALSE(fs::exists(folder.path() / "search.json"));
  const Printed as_json = run({"import", "amt", file.string(), "--json"});
  CHECK(as_json.code == 3);
  CHECK(as_json.out.empty());
  CHECK(Json::parse(as_json.err).at("error").at("problems").size() == 2);
}

TEST_CASE("a regex that RE2 does not take is a mistake of the request", "[import]") {
  const tests::TemporaryFolder folder;
  std::string text = text_of(request("pytorch-script.json"));
  const std::string regex = "Average loss: ([0-9\\\\.]+)";
  REQUIRE(contains(text, regex));
  text.replace(text.find(regex), regex.size(), "Average loss: [0-9]+");
  write_text(folder.path() / "job.json", text);
  const Printed refused = run({"import", "amt", (folder.path() / "job.json").string()});
  CHECK(refused.code == 3);
  CHECK_THAT(
      refused.err,
      Contains("/MetricDefinitions/0/Regex: the regex \"Test set: Average loss: [0-9]+\" has no group"));
}

TEST_CASE("what is no import is refused by name", "[import]") {
  CHECK_THAT(run({"import", "ray", "x.json"}).err, Contains("there is no format \"ray\""));
  CHECK(run({"import", "amt", "/no/such/job.json"}).code == 5);
  CHECK(run({"import", "optuna", "/no/such/study.db"}).code == 5);
  CHECK_THAT(run({"import", "amt", request("pytorch-script.json"), "--map", "data"}).err,
             Contains("--map takes a place in S3"));
  CHECK_THAT(run({"import", "amt", request("pytorch-script.json"), "--command", "a | b"}).err,
             Contains("no shell reads --command"));
  CHECK_THAT(run({"import", "amt", request("pytorch-script.json"), "--usd-per-hour", "-1"}).err,
             Contains("--usd-per-hour"));
}

}  // namespace
}  // namespace tune::cli
