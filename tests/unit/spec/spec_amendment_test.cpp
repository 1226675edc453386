#include "tuner/spec/spec_amendment.h"

#include <functional>

#include "support/catch.h"

using namespace tune;

namespace {

Json small_document() {
  return Json::parse(R"json({
    "study": "s",
    "objective": {"metric": "loss", "goal": "minimize"},
    "parameters": {"lr": {"type": "float", "min": 0.001, "max": 0.1},
                   "depth": {"type": "int", "min": 1, "max": 4}},
    "fixed": {"width": 8},
    "command": ["train", "--lr={{lr}}", "--depth", "{{depth}}", "--width", "{{width}}"],
    "metrics": [{"name": "loss", "regex": "loss=(.*)"}],
    "limits": {"trials": 9}})json");
}

// What is objected to, after a change.
std::vector<std::string> objections(const std::function<void(Json&)>& change) {
  Json changed = small_document();
  change(changed);
  return spec_amendment(small_document(), changed).objections;
}

}  // namespace

TEST_CASE("ranges, choices, conditions, points to try and limits are amended", "[spec]") {
  CHECK(objections([](Json& spec) {
          spec["parameters"]["lr"]["max"] = 1;
          spec["parameters"]["lr"]["scale"] = "log";
          spec["strategy"]["try_first"] = {{{"lr", 0.5}}};
          spec["limits"]["trials"] = 20;
        }).empty());
  Json same = small_document();
  same["parameters"]["lr"]["scale"] = "linear";  // the default
  CHECK(spec_amendment(small_document(), same).lines.empty());
}

TEST_CASE("a new parameter is handed to the command by elements of its own", "[spec]") {
  Json changed = small_document();
  changed["parameters"]["wd"] = {{"type", "float"}, {"min", 0}, {"max", 1}};
  changed["command"].insert(changed["command"].begin() + 2, "--wd={{wd}}");
  CHECK(spec_amendment(small_document(), changed).objections.empty());
  CHECK(spec_amendment(small_document(), changed).added == std::vector<std::string>{"wd"});
  CHECK(spec_amendment(small_document(), changed).were_fixed.empty());
  changed["command"] = {"train",   "--lr={{lr}}", "--depth", "{{depth}}",
                        "--width", "{{width}}",   "--wd",    "{{wd}}"};
  CHECK(spec_amendment(small_document(), changed).objections.empty());
  changed["command"].push_back("--fast");
  REQUIRE(spec_amendment(small_document(), changed).objections.size() == 1);
  CHECK(spec_amendment(small_document(), changed).objections[0].starts_with("/command: "));
}

TEST_CASE("a parameter becomes fixed, and a fixed value a parameter", "[spec]") {
  CHECK(objections([](Json& spec) {
          spec["parameters"].erase("depth");
          spec["fixed"]["depth"] = 2;
        }).empty());
  // The command may name it no more.
  CHECK(objections([](Json& spec) {
          spec["parameters"].erase("depth");
          spec["fixed"]["depth"] = 2;
          spec["command"] = {"train", "--lr={{lr}}", "--width", "{{width}}"};
        }).empty());
  CHECK(objections([](Json& spec) { spec["parameters"].erase("depth"); }) ==
        std::vector<std::string>{
            "/parameters/depth: \"depth\" is no longer searched: give its value under \"fixed\""});
  Json changed = small_document();
  changed.erase("fixed");
  changed["parameters"]["width"] = {{"type", "int"}, {"min", 4}, {"max", 16}};
  const SpecAmendment amendment = spec_amendment(small_document(), changed);
  CHECK(amendment.objections.empty());
  CHECK(amendment.added == std::vector<std::string>{"width"});
  CHECK(amendment.were_fixed == std::map<std::string, Json>{{"width", 8}});
}

TEST_CASE("what would make earlier values another search's is refused, each with its reason", "[spec]") {
  const std::vector<std::pair<std::string, std::function<void(Json&)>>> refused{
      {"/objective/goal", [](Json& spec) { spec["objective"]["goal"] = "maximize"; }},
      {"/metrics", [](Json& spec) { spec["metrics"][0]["regex"] = "other=(.*)"; }},
      {"/fixed/width", [](Json& spec) { spec["fixed"]["width"] = 9; }},
      {"/fixed/more", [](Json& spec) { spec["fixed"]["more"] = 1; }},
      {"/strategy/name", [](Json& spec) { spec["strategy"]["name"] = "random"; }},
      {"/strategy/seed", [](Json& spec) { spec["strategy"]["seed"] = 3; }},
      {"/environment/A", [](Json& spec) { spec["environment"]["A"] = "b"; }},
      {"/command", [](Json& spec) { spec["command"][0] = "other"; }},
      {"/resources/gpus_per_trial", [](Json& spec) { spec["resources"]["gpus_per_trial"] = 2; }},
  };
  for (const auto& [pointer, change] : refused) {
    CAPTURE(pointer);
    const std::vector<std::string> found = objections(change);
    REQUIRE(found.size() == 1);
    CHECK(found[0].starts_with(
        pointer.substr(0, pointer.rfind('/') == 0 ? std::string::npos : pointer.rfind('/'))));
    CHECK(found[0].ends_with(")"));
  }
}
