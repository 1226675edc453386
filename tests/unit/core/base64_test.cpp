#include "tuner/core/base64.h"

#include "support/catch.h"

namespace tune {

TEST_CASE("base64 is RFC 4648's", "[base64]") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xFF\xFE\xFD") == "//79");
}

}  // namespace tune
