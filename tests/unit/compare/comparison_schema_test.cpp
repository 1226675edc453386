// The schema of comparison files, and the one for both kinds of files.
#include "support/catch.h"
#include "support/schema_keys.h"
#include "support/schema_validator.h"
#include "support/spec_text.h"
#include "tuner/compare/comparison.h"
#include "tuner/compare/comparison_keys.h"
#include "tuner/os/atomic_file.h"

using namespace tune;
using namespace tune::tests;

TEST_CASE("every key of a comparison is in its schema, and no other", "[schema]") {
  const OrderedJson schema = compare::comparison_schema();
  REQUIRE(schema.at("$schema") == "http://json-schema.org/draft-07/schema#");
  REQUIRE(check_keys(compare::comparison_table(), schema, "") > 50);
}

TEST_CASE("one schema is for both kinds of files: whatever names a comparison is one", "[schema]") {
  const OrderedJson both = compare::file_schema();
  const std::string folder = std::string(TUNE_SOURCE_DIR) + "/examples/";
  REQUIRE(schema_violations(both, valid_document()) == std::vector<std::string>{});
  const OrderedJson comparison = OrderedJson::parse(read_file(folder + "steel-study/study.json"));
  REQUIRE(schema_violations(both, comparison) == std::vector<std::string>{});
  REQUIRE(schema_violations(compare::comparison_schema(), comparison) == std::vector<std::string>{});
  const auto violations = [&](const std::string& pointer, const std::string& json) {
    OrderedJson changed = comparison;
    changed[OrderedJson::json_pointer(pointer)] = OrderedJson::parse(json);
    return schema_violations(both, changed);
  };
  using Catch::Matchers::VectorContains;
  REQUIRE_THAT(violations("/sedes", "3"), VectorContains(std::string("/sedes: additionalProperties")));
  REQUIRE_THAT(violations("/seeds", "0"), VectorContains(std::string("/seeds: minimum")));
  REQUIRE_THAT(violations("/limits", R"({"cost_usd": "5"})"),
               VectorContains(std::string("/limits/cost_usd: type")));
  REQUIRE_THAT(violations("/approaches", "[]"), VectorContains(std::string("/approaches: minItems")));
  REQUIRE_THAT(violations("/approaches", R"([{"name": "a", "search": {"parameters": {}, "limits": {}}}])"),
               VectorContains(std::string("/approaches/0/search/limits: anyOf")));
  OrderedJson unnamed = comparison;
  unnamed.erase("comparison");
  REQUIRE_THAT(schema_violations(both, unnamed), VectorContains(std::string(": required")));
}
