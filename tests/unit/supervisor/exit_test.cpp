#include <signal.h>
#include <stdlib.h>

#include <cerrno>

#include <fstream>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/os/atomic_file.h"

using namespace tune;
using namespace tune::tests;

TEST_CASE("a trainer's exit code, resources and metrics are in exit.json") {
  TemporaryFolder folder;
  SupervisorRun run(folder.path(), chaos({"print", "loss=0.5\\nloss=0.25\\n", "burn", "30", "exit", "3"}));
  const Json exit = run.wait();
  CHECK(exit["schema"] == 1);
  CHECK(exit["token"] == "token");
  CHECK(exit["exit_code"] == 3);
  CHECK_FALSE(exit.contains("signal"));
  CHECK(exit["stop"] == "");
  CHECK(exit["failure"] == "");
  CHECK(exit["metrics"] == 2);
  CHECK(exit["wall_seconds"] >= 0.03);
  CHECK(exit["cpu_seconds"] > 0);
  CHECK(exit["max_rss_bytes"] > 100'000);
}

TEST_CASE("a crash is recorded as its signal") {
  TemporaryFolder folder;
  const Json exit = SupervisorRun(folder.path(), chaos({"crash"})).wait();
  CHECK(exit["signal"] == SIGSEGV);
  CHECK_FALSE(exit.contains("exit_code"));
}

TEST_CASE("a trainer that is killed is recorded as killed, and its children go with it") {
  TemporaryFolder folder;
  const std::string child = folder.path() / "child", main = folder.path() / "main";
  SupervisorRun run(folder.path(), chaos({"child", child, "pid-file", main, "hang"}));
  ::kill(pid_in(main), SIGKILL);
  const Json exit = run.wait();
  CHECK(exit["signal"] == SIGKILL);
  CHECK(exit["stop"] == "");
  CHECK_FALSE(is_running(pid_in(child)));
}

TEST_CASE("an unterminated last line counts when the trainer ended by itself, not when it was killed") {
  TemporaryFolder folder;
  SECTION("by itself") {
    const Json exit = SupervisorRun(folder.path(), chaos({"print", "loss=12.5"})).wait();
    CHECK(exit["metrics"] == 1);
  }
  SECTION("killed by somebody") {
    const Json exit = SupervisorRun(folder.path(), chaos({"print", "loss=2\\nloss=1", "kill-self"})).wait();
    CHECK(exit["metrics"] == 1);
    CHECK_THAT(read_file(folder.path() / "metrics.jsonl"), Catch::Matchers::Contains("\"value\":2"));
    CHECK(read_file(folder.path() / "log") == "loss=2\nloss=1");
  }
  SECTION("killed by a stop") {
    const std::string main = folder.path() / "main";
    SupervisorRun run(folder.path(), chaos({"print", "loss=1", "pid-file", main, "hang"}));
    pid_in(main);
    run.command("stop 0 rule");
    CHECK(run.wait()["metrics"] == 0);
  }
}

TEST_CASE("a program that does not exist is named with the system's reason") {
  TemporaryFolder folder;
  const Json exit = SupervisorRun(folder.path(), {"pyton3", "train.py"}).wait();
  CHECK(exit["failure"] == "cannot start \"pyton3\": No such file or directory");
  CHECK(exit["start_error"] == ENOENT);
}

TEST_CASE("a trainer that itself exits with 127 was started") {
  TemporaryFolder folder;
  const Json exit = SupervisorRun(folder.path(), chaos({"exit", "127"})).wait();
  CHECK(exit["exit_code"] == 127);
  CHECK_FALSE(exit.contains("start_error"));
}

TEST_CASE("a process that the kernel kills for want of memory meanwhile is told") {
  TemporaryFolder folder;
  const std::string counter = folder.path() / "memory.events", go = folder.path() / "go";
  std::ofstream(counter) << "low 0\noom 3\noom_kill 2\n";
  const auto act = GENERATE(as<std::string>(), "kill-self", "exit");
  ::setenv("TUNE_OOM_FILE", counter.c_str(), 1);
  std::vector<std::string> acts = {"print", "loss=1\\n", "wait-for", go, act};
  if (act == "exit") acts.emplace_back("0");
  SupervisorRun run(folder.path(), chaos(acts));
  run.wait_for_wake();
  std::ofstream(counter) << "low 0\noom 4\noom_kill 3\n";
  std::ofstream(go) << "";
  const Json exit = run.wait();
  ::unsetenv("TUNE_OOM_FILE");
  CHECK(exit.value("out_of_memory", false) == (act == "kill-self"));
}

TEST_CASE("a program that may not be executed is named with the system's reason") {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "train.py") << "print(1)\n";
  const Json exit = SupervisorRun(folder.path(), {"./train.py"}).wait();
  CHECK(exit["failure"] == "cannot start \"./train.py\": Permission denied");
}

TEST_CASE("a script whose interpreter is missing is told from a script that is missing") {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "train") << "#!/no/such/python\n";
  std::filesystem::permissions(folder.path() / "train", std::filesystem::perms::owner_all);
  const Json exit = SupervisorRun(folder.path(), {"./train"}).wait();
  CHECK_THAT(exit["failure"].get<std::string>(), Catch::Matchers::Contains("interpreter"));
}

TEST_CASE("a working directory that does not exist is named") {
  TemporaryFolder folder;
  const Json exit =
      SupervisorRun(folder.path(), chaos({}), {{"working_directory", "/no/such/folder"}}).wait();
  CHECK(exit["failure"] ==
        "cannot enter the working directory \"/no/such/folder\": No such file or directory");
  CHECK(exit["start_error"] == ENOENT);
}

TEST_CASE("a trainer that closes its output trains on") {
  TemporaryFolder folder;
  const std::string file = folder.path() / "go";
  SupervisorRun run(folder.path(),
                    chaos({"print", "loss=1\\n", "close-output", "wait-for", file, "exit", "5"}));
  run.wait_for_wake();
  CHECK(is_running(run.pid()));
  std::ofstream(file) << "";
  CHECK(run.wait()["exit_code"] == 5);
}

TEST_CASE("what a trainer leaves behind is ended before exit.json is written") {
  const auto act = GENERATE(as<std::string>(), "child", "stubborn-child", "daemon", "bare-daemon");
  INFO(act);
  TemporaryFolder folder;
  const std::string file = folder.path() / "left";
  SupervisorRun run(folder.path(), chaos({act, file, "exit", "0"}), {{"grace_ms", 100}});
  const Json exit = run.wait();
  CHECK(exit["exit_code"] == 0);
  CHECK(exit["stop"] == "");
  CHECK_FALSE(is_running(pid_in(file)));
}

TEST_CASE("a trainer starts with clean descriptors, signals, input, group and folder") {
  TemporaryFolder folder;
  ::signal(SIGPIPE, SIG_IGN);
  SupervisorRun run(folder.path(),
                    chaos({"descriptors", "signals", "groups", "read-input", "working-directory",
                           "environment", "LR", "cores"}),
                    {{"environment", {{"LR", "0.1"}}}, {"cpus", {0}}});
  ::signal(SIGPIPE, SIG_DFL);
  run.wait();
  CHECK(read_file(folder.path() / "log") ==
        "fds: 0 1 2\nblocked:\nignored:\nleads its group: yes\ninput is empty\nin " + folder.path().string() +
            "\nLR=0.1\ncores: 1\n");
}
