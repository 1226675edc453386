#include "tuner/core/edit_distance.h"

#include "support/catch.h"

using namespace tune;

TEST_CASE("the edit distance counts insertions, deletions, replacements and swaps", "[names]") {
  REQUIRE(edit_distance("", "") == 0);
  REQUIRE(edit_distance("abc", "") == 3);
  REQUIRE(edit_distance("abc", "abc") == 0);
  REQUIRE(edit_distance("kitten", "sitting") == 3);
  REQUIRE(edit_distance("ab", "ba") == 1);
  REQUIRE(edit_distance("objectve", "objective") == 1);
  REQUIRE(edit_distance("ca", "abc") == 3);
}

TEST_CASE("the nearest name is found through typing mistakes, case, dashes and abbreviations", "[names]") {
  const std::vector<std::string> names{"learning_rate", "batch_size", "momentum", "log"};
  REQUIRE(nearest_name("learnig_rate", names) == "learning_rate");
  REQUIRE(nearest_name("Batch-Size", names) == "batch_size");
  REQUIRE(nearest_name("batch", names) == "batch_size");
  REQUIRE(nearest_name("lag", names) == "log");
  REQUIRE(nearest_name("maximum", {"minimize", "maximize"}) == "maximize");
}

TEST_CASE("nothing is suggested for a name that is unlike all others", "[names]") {
  REQUIRE_FALSE(nearest_name("dropout", {"learning_rate", "log"}).has_value());
  REQUIRE_FALSE(nearest_name("x", {"y"}).has_value());
  REQUIRE_FALSE(nearest_name("", {"log"}).has_value());
  REQUIRE_FALSE(nearest_name("a", {}).has_value());
  REQUIRE_FALSE(nearest_name(std::string(1'000'000, 'a'), {"a"}).has_value());
}

TEST_CASE("a hint names the nearest, or all that is valid", "[names]") {
  REQUIRE(name_hint("lgo", {"linear", "log"}, "valid scales") == "did you mean \"log\"?");
  REQUIRE(name_hint("zzz", {"linear", "log"}, "valid scales") == "valid scales: linear, log");
  REQUIRE(name_hint("zzz", {}, "parameters") == "there are no parameters");
}
