#include "tuner/core/shell_text.h"

#include "support/catch.h"

namespace tune {
namespace {

TEST_CASE("a shell reads back what it is shown", "[core]") {
  CHECK(shell_text({"python3", "train.py", "--lr=1e-3"}) == "python3 train.py --lr=1e-3");
  CHECK(shell_text({"a b", "", "it's", "$(rm -rf /)", "a;b"}) == "'a b' '' 'it'\\''s' '$(rm -rf /)' 'a;b'");
  CHECK(shell_word("/data/steel@3,x%+y:z_-.") == "/data/steel@3,x%+y:z_-.");
}

}  // namespace
}  // namespace tune
