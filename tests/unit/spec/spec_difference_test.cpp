#include "support/catch.h"
#include "support/spec_text.h"

using namespace tune;
using namespace tune::tests;
using Lines = std::vector<std::string>;

TEST_CASE("a spec does not differ from itself, however it is written", "[spec]") {
  const Json document(valid_document());
  REQUIRE(spec_difference(document, document).empty());
  const auto [pointer, json] = GENERATE(
      table<std::string, std::string>({{"/$schema", "\"x\""},
                                       {"/strategy", "{}"},
                                       {"/strategy", "{\"name\": \"auto\"}"},
                                       {"/early_stopping", "{\"rule\": \"none\", \"min_trials\": 3}"},
                                       {"/resources", "{\"trials_per_gpu\": 1}"},
                                       {"/fixed", "{}"},
                                       {"/objective/reduce", "\"best\""},
                                       {"/limits/trials", "3.0"}}));
  REQUIRE(spec_difference(document, Json::parse(changed(pointer, json))) == Lines{});
  REQUIRE(spec_difference(Json::parse(changed(pointer, json)), document) == Lines{});
}

TEST_CASE("the same duration in other units is no difference", "[spec]") {
  const Json hours = Json::parse(changed("/limits/time", "\"2h\"")),
             minutes = Json::parse(changed("/limits/time", "\"120m\""));
  REQUIRE(spec_difference(hours, minutes).empty());
  REQUIRE(spec_difference(hours, Json::parse(changed("/limits/time", "\"121m\""))) ==
          Lines{"/limits/time: \"2h\" -> \"121m\""});
}

TEST_CASE("what changed, came and went is a line each, with its pointer", "[spec]") {
  OrderedJson changed = valid_document();
  changed["limits"]["trials"] = 40;
  changed["limits"]["parallel"] = 2;
  changed["parameters"].erase("optimizer");
  changed["parameters"]["lr"]["max"] = 0.5;
  changed["parameters"]["lr"].erase("scale");
  changed["strategy"]["name"] = "random";
  changed["fixed"]["a/b"] = OrderedJson::array({1});
  REQUIRE(spec_difference(Json(valid_document()), Json(changed)) ==
          Lines{"/fixed/a~1b: (absent) -> [1]", "/limits/parallel: (absent) -> 2", "/limits/trials: 3 -> 40",
                "/parameters/lr/max: 0.1 -> 0.5", "/parameters/lr/scale: \"log\" -> \"linear\"",
                "/parameters/optimizer: {\"type\":\"categorical\",\"values\":[\"sgd\",\"adam\"]} -> (absent)",
                "/strategy/name: \"auto\" -> \"random\""});
}

TEST_CASE("elements of arrays are compared as a whole", "[spec]") {
  const Json before = Json::parse(changed("/strategy", R"({"try_first": [{"lr": 0.01}]})"));
  const Json after = Json::parse(changed("/strategy", R"({"try_first": [{"lr": 0.02}]})"));
  REQUIRE(spec_difference(before, after) == Lines{"/strategy/try_first: [{\"lr\":0.01}] -> [{\"lr\":0.02}]"});
}

TEST_CASE("limits, prices, promotion and rules may change in a study, the search may not", "[spec]") {
  const auto change = [](const std::string& pointer, const std::string& json) {
    const auto changes = spec_changes(Json(valid_document()), Json::parse(changed(pointer, json)));
    REQUIRE(changes.size() >= 1);
    return changes.front().is_harmless;
  };
  CHECK(change("/limits/trials", "40"));
  CHECK(change("/limits/trial_time", "\"1h\""));
  CHECK(change("/cost", R"({"usd_per_hour": 2})"));
  CHECK(change("/promote", R"({"model": "m"})"));
  CHECK(change("/early_stopping", R"({"rule": "median"})"));
  CHECK(change("/replicates", R"({"top": 2, "seeds": 2})"));
  CHECK(change("/resources", R"({"trials_per_gpu": 2})"));
  CHECK(change("/resources", R"({"trials_per_gpu": "auto"})"));
  CHECK(change("/retry", R"({"infrastructure": {"tries": 5}})"));
  CHECK_FALSE(change("/resources", R"({"gpus_per_trial": 2})"));
  CHECK_FALSE(change("/parameters/lr/max", "0.2"));
  CHECK_FALSE(change("/fixed", R"({"limits": 1})"));
  CHECK_FALSE(change("/metrics/0/regex", "\"a=(.*)\""));
  CHECK_FALSE(change("/strategy", R"({"seed": 3})"));
  CHECK_FALSE(change("/objective/reduce", "\"last\""));
  CHECK_FALSE(change("/command/1", "\"other.py\""));
}
