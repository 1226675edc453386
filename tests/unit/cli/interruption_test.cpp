#include "tuner/cli/interruption.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/catch.h"

namespace tune::cli {
namespace {

// How a process ends that gets two signals: its exit code, or -1 when it goes on to an end of its own (42).
int after_two_signals(bool second_ends, int second = SIGTERM) {
  const pid_t child = ::fork();
  if (child == 0) {
    const SignalsCaught caught;
    end_on_second_signal(second_ends);
    ::raise(SIGINT);
    ::raise(second);
    ::_exit(42);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST_CASE("a second signal ends the process at once while a model is promoted, and only then", "[cli]") {
  CHECK(after_two_signals(false) == 42);
  CHECK(after_two_signals(true) == 130);
  CHECK(after_two_signals(true, SIGHUP) == 42);  // a terminal that closes is no second wish
}

}  // namespace
}  // namespace tune::cli
