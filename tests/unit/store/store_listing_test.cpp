#include "store/store_listing.h"

#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"

namespace tune::store {
namespace {

TEST_CASE("a study belongs to the comparison that its name begins with, if there is one") {
  const tests::TemporaryFolder store;
  const auto folder = store.path() / "comparisons" / "steel.v2";
  std::filesystem::create_directories(folder);
  CHECK_FALSE(comparison_of(store.path(), "steel.v2.latest.search"));
  std::ofstream(folder / "comparison.db") << "";
  CHECK(comparison_of(store.path(), "steel.v2.latest.search") == "steel.v2");
  CHECK_FALSE(comparison_of(store.path(), "steel.v2"));
  CHECK_FALSE(comparison_of(store.path(), "steel.latest.search"));
  CHECK_FALSE(comparison_of(store.path(), "steel"));
}

}  // namespace
}  // namespace tune::store
