#include "tuner/os/run_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/core/error.h"

namespace tune {
namespace {

using tests::TemporaryFolder;

Program shell(const std::string& line, const TemporaryFolder& folder) {
  return {{"sh", "-c", line}, folder.path()};
}

TEST_CASE("a program's output and exit code are taken, and it gets its folder, variables and descriptors") {
  const TemporaryFolder folder;
  Program program = shell("pwd; echo $MINE; cat <&7; exit 3", folder);
  program.environment = {{"MINE", "yes"}};
  std::ofstream(folder.path() / "lease") << "held\n";
  const int opened = ::open((folder.path() / "lease").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::dup3(opened, 7, O_CLOEXEC) == 7);
  program.inherited = {7};
  const ProgramOutput output = run_program(program);
  ::close(opened);
  ::close(7);
  CHECK(output.out == folder.path().string() + "\nyes\nheld\n");
  CHECK(output.exit_code == 3);
  CHECK(run_program(shell("kill -9 $$", folder)).exit_code == 137);
}

TEST_CASE("a variable that is left out does not reach the program, and the others do") {
  const TemporaryFolder folder;
  Program program = shell("echo ${MINE-none} ${YOURS-none}", folder);
  program.left_out = {"MINE"};
  ::setenv("MINE", "here", 1);
  ::setenv("YOURS", "here", 1);
  const std::string said = run_program(program).out;
  ::unsetenv("MINE");
  ::unsetenv("YOURS");
  CHECK(said == "none here\n");
}

TEST_CASE("what a program says on stderr comes line by line") {
  const TemporaryFolder folder;
  Program program =
      shell("echo one >&2; echo out; printf 'two\\nthr' >&2; sleep 0.05; printf ee >&2", folder);
  std::vector<std::string> lines;
  program.on_line = [&](const std::string& line) { lines.push_back(line); };
  CHECK(run_program(program).out == "out\n");
  CHECK(lines == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("a program that cannot be started is an error that names it") {
  const TemporaryFolder folder;
  try {
    run_program({{"no-such-program"}, folder.path()});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kEnvironment);
    CHECK(std::string(error.what()) == "cannot start \"no-such-program\": No such file or directory");
  }
}

TEST_CASE("a program that does not end in its time is killed, and that is an error") {
  const TemporaryFolder folder;
  Program program = shell("echo $$ > new; mv new pid; exec sleep 600", folder);
  program.time_limit = Milliseconds(300);
  CHECK_THROWS_AS(run_program(program), Error);
  // On a busy machine it may not even have come to its first line.
  const bool began = std::filesystem::exists(folder.path() / "pid");
  CHECK_FALSE((began && tests::is_running(tests::pid_in(folder.path() / "pid"))));
}

TEST_CASE("a group that does not end in its time is killed at once, with whatever it has started") {
  const TemporaryFolder folder;
  Program program =
      shell("trap '' TERM; sleep 600 & echo $! > new; mv new pid; while :; do sleep 1; done", folder);
  program.time_limit = Milliseconds(500);
  program.ends_as_group = true;
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(run_program(program), ProgramTimeout);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(8));  // not the grace of ten
  if (!std::filesystem::exists(folder.path() / "pid")) return;
  const pid_t child = tests::pid_in(folder.path() / "pid");
  tests::wait_until([&] { return !tests::is_running(child); }, "the child's end");
}

TEST_CASE("what a program leaves behind is not waited for, though it holds the output") {
  const TemporaryFolder folder;
  const ProgramOutput output = run_program(shell("sleep 600 & echo $! > pid; echo done", folder));
  CHECK(output.out == "done\n");
  ::kill(tests::pid_in(folder.path() / "pid"), SIGKILL);
}

TEST_CASE("a first signal asks a program to end, a second one kills it") {
  const TemporaryFolder folder;
  Program polite = shell("trap 'echo saved; exit 5' TERM; touch up; while :; do sleep 0.01; done", folder);
  polite.signals = [&] { return std::filesystem::exists(folder.path() / "up") ? 1 : 0; };
  const ProgramOutput saved = run_program(polite);
  CHECK(saved.out == "saved\n");
  CHECK(saved.exit_code == 5);
  Program stubborn = shell("trap '' TERM; touch deaf; while :; do sleep 0.01; done", folder);
  stubborn.signals = [&] { return std::filesystem::exists(folder.path() / "deaf") ? 2 : 0; };
  CHECK(run_program(stubborn).exit_code == 137);
}

TEST_CASE("a program dies with the process that asked it") {
  const TemporaryFolder folder;
  const pid_t asking = ::fork();
  if (asking == 0) {
    run_program(shell("echo $$ > new; mv new pid; exec sleep 600", folder));
    ::_exit(0);
  }
  const pid_t program = tests::pid_in(folder.path() / "pid");
  ::kill(asking, SIGKILL);
  REQUIRE(::waitpid(asking, nullptr, 0) == asking);
  tests::wait_until([&] { return !tests::is_running(program); }, "the program's end");
}

}  // namespace
}  // namespace tune
