#include <regex>

#include "support/catch.h"
#include "support/schema_keys.h"
#include "support/schema_validator.h"
#include "support/spec_text.h"
#include "tuner/os/atomic_file.h"
#include "tuner/spec/spec_keys.h"
#include "tuner/spec/spec_text_rules.h"

using namespace tune;
using namespace tune::tests;

TEST_CASE("every key that is accepted is in the schema, and no other", "[schema]") {
  const OrderedJson schema = spec_schema();
  REQUIRE(schema.at("$schema") == "http://json-schema.org/draft-07/schema#");
  REQUIRE(check_keys(spec_table(), schema, "") > 40);
}

TEST_CASE("the schema accepts what the reader accepts", "[schema]") {
  const OrderedJson schema = spec_schema();
  const std::string folder = std::string(TUNE_SOURCE_DIR) + "/examples/";
  for (const std::string file : {"own-script/search.json", "steel-defects/search.json"}) {
    const std::string text = read_file(folder + file);
    REQUIRE(problems_of(text) == "");
    REQUIRE(schema_violations(schema, OrderedJson::parse(text)) == std::vector<std::string>{});
  }
  REQUIRE(schema_violations(schema, valid_document()) == std::vector<std::string>{});
}

TEST_CASE("the schema refuses what the reader refuses for its shape", "[schema]") {
  const auto [pointer, json, violation] = GENERATE(table<std::string, std::string, std::string>({
      {"/objectve", "{}", "/objectve: additionalProperties"},
      {"/study", "\"models\"", "/study: pattern"},
      {"/study", "", ": required"},
      {"/objective/goal", "\"max\"", "/objective/goal: enum"},
      {"/limits", "{\"parallel\": 1}", "/limits: anyOf"},
      {"/limits/trials", "0", "/limits/trials: minimum"},
      {"/limits/trials", "3000000000", "/limits/trials: maximum"},
      {"/limits", R"({"trials": 1, "parallel": 4097})", "/limits/parallel: maximum"},
      {"/limits/trials", "1.5", "/limits/trials: type"},
      {"/limits/time", "\"5\"", "/limits/time: pattern"},
      {"/limits/gpu_hours", "-5", "/limits/gpu_hours: minimum"},
      {"/strategy", "{\"name\": \"cmaes\"}", "/strategy/name: enum"},
      {"/parameters/2x", R"({"type": "int", "min": 1, "max": 2})", "/parameters: propertyNames"},
      {"/parameters/lr/values", "[1]", "/parameters/lr: propertyNames"},
      {"/parameters/lr", "{\"type\": \"float\", \"min\": 1}", "/parameters/lr: required"},
      {"/command", "[]", "/command: minItems"},
      {"/command/1", "3", "/command/1: type"},
      {"/environment", "{\"A\": 1}", "/environment/A: anyOf"},
      {"/environment", "{\"A\": {\"from_env\": \"B C\"}}", "/environment/A: anyOf"},
      {"/trainer", "{\"task\": \"x\"}", ": not"},
      {"/metrics/0", "{\"regex\": \"x\"}", "/metrics/0: required"},
      {"/strategy", "{\"try_first\": [1]}", "/strategy/try_first/0: type"},
  }));
  const std::string text = changed(pointer, json);
  CAPTURE(text);
  REQUIRE_FALSE(problems_of(text).empty());
  REQUIRE_THAT(schema_violations(spec_schema(), OrderedJson::parse(text)),
               Catch::Matchers::VectorContains(violation));
}

TEST_CASE("the pattern of a text rule means what the rule does", "[schema]") {
  const std::vector<const TextRule*> rules{&kStudyName,    &kModelName, &kParameterName, &kMetricName,
                                           &kVariableName, &kNonEmpty,  &kDurationText,  &kAliasName};
  const std::vector<std::string> texts{"",
                                       "a",
                                       "A1",
                                       "_a",
                                       "-a",
                                       ".a",
                                       "1a",
                                       "a.b-c_d",
                                       "a b",
                                       "a/b",
                                       "a:b",
                                       "a@b",
                                       "models",
                                       "models2",
                                       "staging",
                                       "staging1",
                                       "registry.db",
                                       "registry.db-wal",
                                       "registry",
                                       std::string(64, 'a'),
                                       std::string(65, 'a'),
                                       "\xC3\xA9",
                                       "5s",
                                       "0s",
                                       "1h30m",
                                       "30m1h",
                                       "1h1h",
                                       "10ms",
                                       "5",
                                       "s",
                                       "1d2h3m4s5ms",
                                       "0d",
                                       "00s",
                                       "1.5h"};
  for (const TextRule* rule : rules) {
    const std::regex pattern{std::string(rule->pattern)};
    for (const std::string& text : texts) {
      CAPTURE(rule->pattern, text);
      REQUIRE(rule->accepts(text) == std::regex_search(text, pattern));
    }
  }
}
