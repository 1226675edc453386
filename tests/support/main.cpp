#define CATCH_CONFIG_RUNNER
#include "support/catch.h"

#include "support/skip.h"

int main(int argc, char** argv) {
  const int failed = Catch::Session().run(argc, argv);
  return failed == 0 && tune::tests::any_skipped() ? tune::tests::kSkippedExitCode : failed;
}
