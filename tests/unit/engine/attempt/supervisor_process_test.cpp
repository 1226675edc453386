// The process beside an attempt, seen from outside.
#include "tuner/engine/attempt/supervisor_process.h"

#include <fcntl.h>
#include <unistd.h>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/process.h"
#include "unit/engine/attempt/runner_fixture.h"

using namespace tune;
using namespace tune::engine;
using namespace tune::tests;

TEST_CASE_METHOD(RunnerFixture,
                 "a supervisor is this process's child, leads a session and carries its token") {
  LocalRunner runner(options());
  const Attempt attempt = this->attempt(1, {"hang"});
  const auto pid = static_cast<pid_t>(runner.start(attempt).supervisor_pid);
  wait_until([&] { return process_info(pid)->session == pid; }, "the supervisor leads a session");
  CHECK(process_info(pid)->parent == ::getpid());
  wait_until([&] { return environment_value(pid, kTokenVariable) == attempt.token; }, "it carries its token");
}

TEST_CASE_METHOD(RunnerFixture,
                 "a trainer inherits no descriptor but a lease, and no variable of another attempt") {
  const int left_open = ::open("/dev/null", O_RDONLY);  // as the program that started tune may have
  LocalRunner runner(options());
  Attempt first = attempt(1, {"hang"});
  first.secret_environment = {{"SECRET", "hunter2"}};
  runner.start(first);
  const Attempt second =
      attempt(2, {"descriptors", "environment", "SECRET", "environment", kTokenVariable, "read-input"});
  runner.start(second);
  wait_for_exit(runner, second.id);
  // But for the lease of its cores, which lasts as long as any of its processes.
  CHECK_THAT(
      read_file(second.folder / "log"),
      Catch::Matchers::Matches("fds: 0 1 2( [0-9]+)?\nSECRET=\\(unset\\)\n" + std::string(kTokenVariable) +
                               "=" + second.token + "\ninput is empty\n"));
  ::close(left_open);
}

TEST_CASE_METHOD(RunnerFixture, "an environment that is too long is an error that starts nothing") {
  LocalRunner runner(options(1));
  Attempt attempt = this->attempt(1, {});
  // More than Linux takes of one variable.
  attempt.secret_environment["LONG"] = std::string(128 * 1024, 'x');
  try {
    runner.start(attempt);
    FAIL("it has started");
  } catch (const Error& problem) {
    CHECK(problem.code() == ExitCode::kEnvironment);
  }
  CHECK(runner.capacity().free == 1);
}
