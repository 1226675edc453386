#include "tuner/core/stop_reason.h"

#include <stdexcept>

#include "support/catch.h"

namespace tune {
namespace {

TEST_CASE("a reason to stop an attempt has one text, which reads back") {
  for (const char* text :
       {"rule", "pause", "drain", "time limit", "device time limit", "cost limit", "supervisor unheard",
        "orchestrator died", "timeout", "no output", "no metric", "terminated", "lost"})
    CHECK(to_string(stop_reason_from_string(text)) == std::string(text));
  CHECK_THROWS_AS(stop_reason_from_string("Rule"), std::invalid_argument);
  CHECK_THROWS_AS(stop_reason_from_string(""), std::invalid_argument);
}

}  // namespace
}  // namespace tune
