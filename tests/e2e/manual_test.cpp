#include "support/manual_commands.h"

#include "support/catch.h"

TEST_CASE("the commands of README.md and the manual that need no built-in trainer run as shown") {
  CHECK(tune::tests::run_manual_commands(tune::tests::CommandsOf::kTune) >= 20);
}
