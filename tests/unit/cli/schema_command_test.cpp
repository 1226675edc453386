#include "support/catch.h"
#include "tuner/compare/comparison.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

TEST_CASE("the schema is printed as it is, with or without --json", "[schema]") {
  const Printed plain = run({"schema"});
  CHECK(plain.code == 0);
  CHECK(plain.err.empty());
  CHECK(OrderedJson::parse(plain.out) == compare::file_schema());
  CHECK(run({"schema", "--json"}).out == plain.out);
  CHECK(run({"schema", "surplus"}).code == 2);
}

}  // namespace
}  // namespace tune::cli
