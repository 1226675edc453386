#include <signal.h>

#include <fstream>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/supervisor/silence.h"

using namespace tune;
using namespace tune::tests;
using Catch::Matchers::Contains;
using std::chrono::minutes;
using supervisor::Silence;

TEST_CASE("a trainer that prints nothing for its limit is ended, with what its processes waited for") {
  TemporaryFolder folder;
  const std::string child = folder.path() / "child";
  SupervisorRun run(folder.path(), chaos({"ignore-term", "child", child, "print", "loss=1\\n", "hang"}),
                    {{"no_output_ms", 300}, {"grace_ms", 50}});
  const Json exit = run.wait();
  CHECK(exit["stop"] == "no output");
  CHECK(exit["signal"] == SIGKILL);
  const std::string reason = exit["failure"];
  CHECK_THAT(reason, Contains("nothing was printed for 300ms; its processes were: ") &&
                         Contains("chaos_trainer (") && Contains(") S"));
  CHECK_THAT(reason, Contains("(" + std::to_string(pid_in(child)) + ")"));
}

TEST_CASE("a trainer that prints, but no metric, is ended by the limit on metrics alone") {
  TemporaryFolder folder;
  SupervisorRun run(folder.path(),
                    {"sh", "-c", "echo loss=1; for i in $(seq 4000); do echo working; sleep 0.01; done"},
                    {{"no_output_ms", 60'000}, {"no_metric_time_ms", 500}, {"grace_ms", 50}});
  const Json exit = run.wait();
  CHECK(exit["stop"] == "no metric");
  CHECK_THAT(std::string(exit["failure"]), Contains("no metric came for 500ms"));
}

TEST_CASE("without limits a silent trainer is left alone, and the runner is told") {
  TemporaryFolder folder;
  SupervisorRun run(folder.path(), chaos({"print", "hello\\n", "hang"}), {{"quiet_after_ms", 50}});
  run.wait_for_word(kSaysQuiet);
  run.command("stop 0 rule");
  CHECK(run.wait()["stop"] == "rule");
}

TEST_CASE("a silence is long when it is over the notice and three times the longest before it") {
  const SteadyTime start{std::chrono::hours(1)};
  Silence silence({}, minutes(10));
  silence.begin(start);
  CHECK(silence.due() == start + minutes(10));
  silence.heard(start + minutes(5));
  CHECK_FALSE(silence.takes_notice(start + minutes(19)));
  CHECK(silence.due() == start + minutes(20));
  CHECK(silence.takes_notice(start + minutes(20)));
  CHECK_FALSE(silence.takes_notice(start + minutes(200)));  // once
  CHECK(silence.due() == SteadyTime::max());
  CHECK_FALSE(silence.is_over(start + minutes(200)));
}

TEST_CASE("a silence has a limit, and time that nobody listened in does not count") {
  const SteadyTime start{std::chrono::hours(1)};
  Silence silence(minutes(3), minutes(10));
  silence.begin(start);
  CHECK(silence.due() == start + minutes(3));
  silence.excuse(minutes(2));
  CHECK_FALSE(silence.is_over(start + minutes(4)));
  CHECK(silence.is_over(start + minutes(5)));
  silence.heard(start + minutes(5));
  CHECK_FALSE(silence.is_over(start + minutes(7)));
}
