// The process that forks supervisors, seen from outside.
#include "tuner/engine/attempt/nursery.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/engine/attempt/attempt_files.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/process.h"
#include "unit/engine/attempt/runner_fixture.h"

using namespace tune;
using namespace tune::engine;
using namespace tune::tests;

namespace {

// Children of this process that wait for requests. A supervisor has the same command line, but a token.
std::vector<pid_t> nurseries() {
  std::vector<pid_t> found;
  for (const ProcessInfo& process : all_processes()) {
    if (process.parent != ::getpid() || process.state == 'Z') continue;
    const std::string command = read_file("/proc/" + std::to_string(process.pid) + "/cmdline");
    if (command.find(kNurseryOption) == std::string::npos) continue;
    if (environment_value(process.pid, kTokenVariable).starts_with("---")) found.push_back(process.pid);
  }
  return found;
}

}  // namespace

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
  const int left_open = ::open("/dev/null", O_RDONLY);  // as the program that started tune may
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

TEST_CASE_METHOD(RunnerFixture,
                 "when the nursery is killed its supervisors live on, and the next one has another") {
  LocalRunner runner(options());
  const std::string go = folder.path() / "go";
  const Attempt first = attempt(1, {"wait-for", go, "exit", "3"}), second = attempt(2, {"exit", "4"});
  const AttemptRecord record = runner.start(first);
  const auto supervisor = static_cast<pid_t>(record.supervisor_pid);
  wait_until([&] { return environment_value(supervisor, kTokenVariable) == first.token; },
             "the supervisor cannot be taken for a nursery any more");
  const std::vector<pid_t> before = nurseries();
  REQUIRE(before.size() == 1);
  ::kill(before[0], SIGKILL);
  wait_until([&] { return !tests::is_running(before[0]); }, "the nursery is gone");
  runner.start(second);
  wait_for_exit(runner, second.id);
  CHECK(read_exit(second.folder, second.token)->exit_code == 4);
  CHECK(tests::is_running(static_cast<pid_t>(record.supervisor_pid)));
  std::ofstream(go) << "";
  wait_for_exit(runner, first.id);
  CHECK(read_exit(first.folder, first.token)->exit_code == 3);
  CHECK(nurseries().size() == 1);
}

TEST_CASE_METHOD(RunnerFixture, "the nursery goes with its runner") {
  {
    LocalRunner runner(options());
    const Attempt attempt = this->attempt(1, {});
    runner.start(attempt);
    wait_for_exit(runner, attempt.id);
    CHECK(nurseries().size() == 1);
  }
  wait_until([] { return nurseries().empty(); }, "it is gone");
}

TEST_CASE_METHOD(RunnerFixture, "the nursery goes when its orchestrator is killed") {
  const std::string note = folder.path() / "note";
  const Attempt attempt = this->attempt(1, {});
  const pid_t orchestrator = ::fork();
  if (orchestrator == 0) {
    LocalRunner runner(options());
    runner.start(attempt);
    write_file_atomically(note, std::to_string(nurseries().at(0)));
    for (;;) ::pause();
  }
  const pid_t nursery = pid_in(note);
  ::kill(orchestrator, SIGKILL);
  ::waitpid(orchestrator, nullptr, 0);
  wait_until([&] { return !tests::is_running(nursery); }, "the nursery is gone");
}

TEST_CASE_METHOD(RunnerFixture, "an environment that is too long is an error that starts nothing") {
  LocalRunner runner(options(1));
  Attempt attempt = this->attempt(1, {});
  attempt.secret_environment["LONG"] = std::string(kNurseryRequestLimit, 'x');
  try {
    runner.start(attempt);
    FAIL("it has started");
  } catch (const Error& problem) {
    CHECK(problem.code() == ExitCode::kEnvironment);
  }
  CHECK(runner.capacity().free == 1);
}
