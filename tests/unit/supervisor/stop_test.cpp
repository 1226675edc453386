#include <signal.h>

#include <fstream>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"

using namespace tune;
using namespace tune::tests;

TEST_CASE("a stop is SIGTERM first, and its reason is recorded") {
  TemporaryFolder folder;
  const std::string ready = folder.path() / "ready";
  SupervisorRun run(folder.path(), chaos({"exit-on-term", "0", "pid-file", ready, "hang"}));
  pid_in(ready);
  run.command("stop 10000 rule");
  const Json exit = run.wait();
  CHECK(exit["exit_code"] == 0);
  CHECK(exit["stop"] == "rule");
}

TEST_CASE("a trainer that ignores SIGTERM is killed after the grace, with all that it has started") {
  TemporaryFolder folder;
  const std::string ready = folder.path() / "ready";
  std::vector<std::string> acts{"ignore-term"}, files;
  for (const char* kind : {"child", "stubborn-child", "daemon", "bare-daemon"}) {
    files.push_back(folder.path() / kind);
    acts.insert(acts.end(), {kind, files.back()});
  }
  acts.insert(acts.end(), {"pid-file", ready, "hang"});
  SupervisorRun run(folder.path(), chaos(acts));
  files.push_back(ready);
  pid_in(ready);
  run.command("stop 100 drain");
  const Json exit = run.wait();
  CHECK(exit["signal"] == SIGKILL);
  CHECK(exit["stop"] == "drain");
  for (const std::string& file : files) {
    INFO(file);
    CHECK_FALSE(is_running(pid_in(file)));
  }
}

TEST_CASE("a second stop shortens the grace and keeps the first reason") {
  TemporaryFolder folder;
  const std::string ready = folder.path() / "ready";
  SupervisorRun run(folder.path(), chaos({"ignore-term", "pid-file", ready, "hang"}));
  pid_in(ready);
  run.command("stop 3600000 drain");
  run.command("stop 0 kill");
  const Json exit = run.wait();
  CHECK(exit["signal"] == SIGKILL);
  CHECK(exit["stop"] == "drain");
}

TEST_CASE("a trainer that is suspended is woken by a stop") {
  TemporaryFolder folder;
  const std::string ready = folder.path() / "ready";
  SupervisorRun run(folder.path(), chaos({"exit-on-term", "7", "pid-file", ready, "stop-self", "hang"}));
  const pid_t trainer = pid_in(ready);
  run.command("stop 3600000 rule");
  CHECK(run.wait()["exit_code"] == 7);
  CHECK_FALSE(is_running(trainer));
}

TEST_CASE("a stop that comes after the main process has ended by itself is not recorded") {
  TemporaryFolder folder;
  const std::string left = folder.path() / "left", main = folder.path() / "main";
  SupervisorRun run(folder.path(), chaos({"stubborn-child", left, "pid-file", main, "exit", "0"}),
                    {{"grace_ms", 3'600'000}});
  const pid_t pid = pid_in(main);
  wait_until([&] { return !is_running(pid); }, "the main process has ended");
  run.command("stop 0 rule");
  const Json exit = run.wait();
  CHECK(exit["exit_code"] == 0);
  CHECK(exit["stop"] == "");
}

TEST_CASE("when the runner dies the whole tree is killed at once") {
  TemporaryFolder folder;
  const std::string ready = folder.path() / "ready", daemon = folder.path() / "daemon";
  SupervisorRun run(folder.path(), chaos({"ignore-term", "bare-daemon", daemon, "pid-file", ready, "hang"}),
                    {{"grace_ms", 3'600'000}});
  pid_in(ready);
  run.hang_up();
  const Json exit = run.wait();
  CHECK(exit["stop"] == "lost");
  CHECK(exit["signal"] == SIGKILL);
  CHECK_FALSE(is_running(pid_in(ready)));
  CHECK_FALSE(is_running(pid_in(daemon)));
}

TEST_CASE("the time limit stops a trainer that hangs") {
  TemporaryFolder folder;
  // Long enough for it to ignore the signal by then, on a busy machine too.
  SupervisorRun run(folder.path(), chaos({"ignore-term", "print", "loss=1\\n", "hang"}),
                    {{"time_limit_ms", 1500}, {"grace_ms", 50}});
  const Json exit = run.wait();
  CHECK(exit["stop"] == "timeout");
  CHECK(exit["signal"] == SIGKILL);
}

TEST_CASE("SIGTERM to the supervisor stops the attempt in good order") {
  TemporaryFolder folder;
  const std::string ready = folder.path() / "ready";
  SupervisorRun run(folder.path(), chaos({"exit-on-term", "4", "pid-file", ready, "hang"}));
  pid_in(ready);
  ::kill(run.pid(), SIGTERM);
  const Json exit = run.wait();
  CHECK(exit["exit_code"] == 4);
  CHECK(exit["stop"] == "terminated");
}
