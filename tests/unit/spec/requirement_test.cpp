#include "tuner/spec/requirement.h"

#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/error.h"
#include "tuner/spec/spec.h"

namespace tune {
namespace {

namespace fs = std::filesystem;

std::string spec_with(const std::string& require) {
  return R"json({"study": "s", "objective": {"metric": "loss", "goal": "minimize"},
 "parameters": {"x": {"type": "float", "min": 0, "max": 1}}, "command": ["train", "{{x}}"],
 "metrics": [{"name": "loss", "regex": "loss=(.+)"}], "limits": {"trials": 3},
 "promote": {"model": "m", "require": )json" +
         require + "}}";
}

// "pointer: message" of each, a line each.
std::string problems_with(const std::string& require) {
  try {
    parse_spec(spec_with(require), "search.json", "/specs");
  } catch (const SpecError& error) {
    std::string text;
    for (const Problem& problem : error.problems()) {
      CHECK(problem.line > 0);
      CHECK_FALSE(problem.hint.empty());
      text += problem.pointer + ": " + problem.message + "\n";
    }
    return text;
  }
  return {};
}

TEST_CASE("a requirement is read from a spec with its paths, and comes back the same") {
  const Spec spec =
      parse_spec(spec_with(R"({"approval": "approved", "test": "data/test", "options": ["--part", "test"],
    "metrics": {"accuracy": {"min": 0.9}, "validation:loss": {"min": 0, "max": 2.5}},
    "not_worse": {"metric": "accuracy", "margin": 0.01, "than": "champion"}, "smoke": ["a.csv", "/abs"]})"),
                 "search.json", "/specs");
  REQUIRE(spec.require);
  const Requirement& require = *spec.require;
  CHECK(require.approved);
  CHECK(require.test == "/specs/data/test");
  CHECK(require.options == std::vector<std::string>{"--part", "test"});
  CHECK(require.smoke == std::vector<std::string>{"/specs/a.csv", "/abs"});
  REQUIRE(require.metrics.size() == 2);
  CHECK(require.metrics[0].min == 0.9);
  CHECK_FALSE(require.metrics[0].max);
  CHECK(require.metrics[1].max == 2.5);
  REQUIRE(require.not_worse);
  CHECK(require.not_worse->goal == Goal::kMaximize);
  CHECK(require.not_worse->level == 0.95);
  CHECK(require.not_worse->resamples == 1000);
  CHECK(require.not_worse->than == "champion");
  const Json json = requirement_json(require);
  CHECK(requirement_json(requirement_from(json, "/elsewhere")) == json);
}

TEST_CASE("a requirement that says nothing, or not where its numbers come from, is refused") {
  CHECK(problems_with("{}") == "/promote/require: nothing is required\n");
  CHECK(problems_with(R"({"test": "t"})") == "/promote/require: nothing is required\n");
  CHECK(problems_with(R"({"metrics": {"a": {"min": 1}}})") ==
        "/promote/require/metrics: nothing says where the numbers come from\n");
  CHECK(problems_with(R"({"test": "t", "scores": "s.json", "metrics": {"a": {"min": 1}}})") ==
        "/promote/require/scores: \"test\" and \"scores\" exclude each other\n");
  CHECK(problems_with(R"({"test": "t", "metrics": {"a": {}}})") ==
        "/promote/require/metrics/a: there is no bound\n");
  CHECK(problems_with(R"({"test": "t", "metrics": {"a": {"min": 2, "max": 1}}})") ==
        "/promote/require/metrics/a: no number is at least 2 and at most 1\n");
  for (const char* path : {"../s.json", "/s.json", "a/../../s.json"})
    CHECK(problems_with(R"({"metrics": {"a": {"min": 2}}, "scores": ")" + std::string(path) + "\"}") ==
          "/promote/require/scores: it is no file of the version\n");
  CHECK(problems_with(R"({"scores": "s", "options": ["--part", "test"], "metrics": {"a": {"min": 2}}})") ==
        "/promote/require/options: \"options\" goes with \"test\"\n");
  CHECK(problems_with(R"({"test": "t", "not_worse": {"metric": "a"}})") ==
        "/promote/require/not_worse/margin: the key \"margin\" is missing\n");
  CHECK(problems_with(R"({"test": "t", "not_worse": {"metric": "a", "margin": -1}})") ==
        "/promote/require/not_worse/margin: -1 is too small\n");
  CHECK(problems_with(R"({"approval": "yes"})") ==
        "/promote/require/approval: \"yes\" is not a valid approval\n");
  CHECK_FALSE(problems_with(R"({"smoke": ["a"], "tests": "t"})").empty());
  CHECK_FALSE(problems_with(R"({"smoke": []})").empty());
  CHECK_FALSE(problems_with(R"({"smoke": "a"})").empty());
}

TEST_CASE("a file of a requirement is checked as one in a spec, and its paths start at its folder") {
  const tests::TemporaryFolder folder;
  const auto read = [&](const std::string& text) {
    std::ofstream(folder.path() / "gate.json") << text;
    return read_requirement(folder.path() / "gate.json");
  };
  CHECK(read(R"({"smoke": ["in"]})").smoke.at(0) == (folder.path() / "in").string());
  for (const char* text : {"{", "[]", "{}", R"({"smok": ["a"]})", R"({"smoke": ["a"], "smoke": ["b"]})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(read(text), SpecError);
  }
  CHECK_THROWS_AS(read_requirement(folder.path() / "none.json"), Error);
}

}  // namespace
}  // namespace tune
