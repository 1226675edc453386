#include <set>

#include "strategies/stop_rule.h"
#include "strategies/strategy.h"
#include "support/catch.h"
#include "tuner/compare/comparison.h"
#include "tuner/spec/spec_keys.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

// The texts that the spec takes for a key of one of its objects.
std::set<std::string> choices_of(const char* object, const char* key) {
  const KeyRule* outer = find_key(spec_table(), object);
  REQUIRE(outer != nullptr);
  REQUIRE(outer->object != nullptr);
  const KeyRule* inner = find_key(*outer->object, key);
  REQUIRE(inner != nullptr);
  return {inner->choices.begin(), inner->choices.end()};
}

template <typename Entry>
std::set<std::string> names_of(const std::vector<Entry>& table) {
  std::set<std::string> names;
  for (const Entry& entry : table) names.insert(entry.name);
  return names;
}

TEST_CASE("the schema is printed as it is, with or without --json", "[schema]") {
  const Printed plain = run({"schema"});
  CHECK(plain.code == 0);
  CHECK(plain.err.empty());
  CHECK(OrderedJson::parse(plain.out) == compare::file_schema());
  CHECK(run({"schema", "--json"}).out == plain.out);
  CHECK(run({"schema", "surplus"}).code == 2);
}

TEST_CASE("a spec takes the strategies and the stop rules that there are, and no others", "[schema]") {
  CHECK(choices_of("strategy", "name") == names_of(strategies::strategy_table()));
  CHECK(choices_of("early_stopping", "rule") == names_of(strategies::stop_rule_table()));
}

}  // namespace
}  // namespace tune::cli
