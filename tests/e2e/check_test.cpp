#include "study_fixture.h"

namespace tune::tests {
namespace {

TEST_CASE("a sample that does not end is said to be still read, and a signal ends that") {
  const StudyFolder folder;
  const ShellResult checked = folder.shell(
      "mkfifo log; (while :; do echo loss=0.5; sleep 0.1; done > log) & writer=$!\n"
      "timeout --signal=INT 8 tune check search.json --sample log; code=$?; kill $writer; exit $code");
  CAPTURE(checked.err);
  CHECK(checked.exit_code == 124);
  CHECK_THAT(checked.err,
             Catch::Matchers::Matches("(.|\n)*the log is still being read: [0-9]+ MiB so far\n(.|\n)*"));
}

}  // namespace
}  // namespace tune::tests
