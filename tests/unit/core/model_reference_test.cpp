#include "tuner/core/model_reference.h"

#include "support/catch.h"
#include "tuner/core/error.h"

namespace tune {
namespace {

TEST_CASE("a model is named alone, by a version's number or by an alias") {
  CHECK(parse_model_reference("steel") == ModelReference{"steel", 0, "current"});
  CHECK(parse_model_reference("steel@3") == ModelReference{"steel", 3, ""});
  CHECK(parse_model_reference("steel@champion") == ModelReference{"steel", 0, "champion"});
  CHECK(parse_model_reference("A.b_c-1@v2") == ModelReference{"A.b_c-1", 0, "v2"});
  for (const char* text : {"steel", "steel@3", "steel@champion"})
    CHECK(reference_text(parse_model_reference(text)) == text);
}

TEST_CASE("what is neither a model, a version nor an alias is refused") {
  for (const char* text : {"", "@3", "../steel", "a/b", "steel@", "steel@0", "steel@-1", "steel@3x",
                           "steel@Champion", "steel@a@b", "steel@99999999999", "steel@+3", "staging",
                           "registry.db", "lock@1", ".hidden", "steel@a_b"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_model_reference(text), Error);
  }
  CHECK_FALSE(is_alias_name(std::string(64, 'a')));
  CHECK(is_alias_name(std::string(63, 'a')));
  CHECK_THROWS_AS(require_alias_name("7"), Error);
}

}  // namespace
}  // namespace tune
