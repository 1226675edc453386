#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/engine/attempt/attempt_files.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/process.h"
#include "unit/engine/attempt/runner_fixture.h"

using namespace tune;
using namespace tune::engine;
using namespace tune::tests;

namespace {

constexpr Milliseconds kNow{0};
SteadyTime soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

}  // namespace

TEST_CASE_METHOD(RunnerFixture, "an attempt runs, tells of its metrics and exits") {
  LocalRunner runner(options());
  const std::string go = folder.path() / "go";
  const Attempt attempt = this->attempt(1, {"print", "loss=0.5\\n", "wait-for", go, "exit", "3"});
  const AttemptRecord record = runner.start(attempt);
  CHECK(record.id == attempt.id);
  CHECK(record.token == "token-1");
  CHECK(record.boot_id == boot_id());
  CHECK(process_info(static_cast<pid_t>(record.supervisor_pid))->start_time == record.supervisor_start_time);

  const RunnerEvent event = runner.wait(soon());
  CHECK(event.kind == RunnerEventKind::kProgress);
  CHECK(event.id == attempt.id);
  const MetricTail tail = read_metrics(attempt.folder, 0, attempt.token);
  REQUIRE(tail.records.size() == 1);
  CHECK(tail.records[0].point.value == 0.5);
  CHECK_FALSE(read_exit(attempt.folder, attempt.token));

  std::ofstream(go) << "";
  wait_for_exit(runner, attempt.id);
  CHECK(read_exit(attempt.folder, attempt.token)->exit_code == 3);
  CHECK_FALSE(is_running(static_cast<pid_t>(record.supervisor_pid)));
}

TEST_CASE_METHOD(RunnerFixture,
                 "a trainer finds the variables of its attempt, its folders and its share of the cores") {
  LocalRunner runner(options(1));
  Attempt attempt = this->attempt(4, {"environment", "MINE", "environment", "SECRET", "environment",
                                      "TUNE_ATTEMPT_TOKEN", "working-directory"});
  attempt.environment = {{"MINE", "yes"}};
  attempt.secret_environment = {{"SECRET", "hunter2"}};
  const AttemptRecord record = runner.start(attempt);
  wait_for_exit(runner, attempt.id);
  CHECK(read_file(attempt.folder / "log") ==
        "MINE=yes\nSECRET=hunter2\nTUNE_ATTEMPT_TOKEN=token-4\nin " + folder.path().string() + "\n");
  CHECK(std::filesystem::is_directory(attempt.folder / "output"));
  const Json trial = Json::parse(read_file(attempt.folder / "trial.json"));
  CHECK(trial["trial"] == 4);
  CHECK(trial["devices"] == Json::array());
  CHECK(trial["threads"] == record.threads);
  for (const char* file : {"launch.json", "trial.json", "exit.json"})
    CHECK(read_file(attempt.folder / file).find("hunter2") == std::string::npos);
}

TEST_CASE_METHOD(RunnerFixture,
                 "no more attempts start than there are slots, and a slot is free again after an exit") {
  LocalRunner runner(options(2));
  CHECK(runner.capacity().free == 2);
  const Attempt first = attempt(1, {"hang"}), second = attempt(2, {"hang"}), third = attempt(3, {});
  runner.start(first);
  runner.start(second);
  CHECK(runner.capacity().free == 0);
  CHECK(runner.capacity().total == 2);
  try {
    runner.start(third);
    FAIL("a third attempt has started");
  } catch (const Error& problem) {
    CHECK(problem.code() == ExitCode::kConflict);
  }
  runner.stop(first.id, kNow, StopReason::kRule);
  wait_for_exit(runner, first.id);
  CHECK(read_exit(first.folder, first.token)->stop == StopReason::kRule);
  CHECK(runner.capacity().free == 1);
  runner.start(third);
  wait_for_exit(runner, third.id);
}

TEST_CASE_METHOD(RunnerFixture, "a wake from another thread ends a wait, and a deadline does") {
  LocalRunner runner(options());
  std::thread waker([&] { runner.wake(); });
  CHECK(runner.wait(soon()).kind == RunnerEventKind::kWoken);
  waker.join();
  CHECK(runner.wait(std::chrono::steady_clock::now()).kind == RunnerEventKind::kDeadline);
}

TEST_CASE_METHOD(RunnerFixture, "a missing supervisor is an error of the environment and leaks no slot") {
  LocalRunnerOptions broken = options(1);
  broken.supervisor = "/no/such/supervisor";
  LocalRunner runner(broken);
  try {
    runner.start(attempt(1, {}));
    FAIL("it started");
  } catch (const Error& problem) {
    CHECK(problem.code() == ExitCode::kEnvironment);
    CHECK_THAT(problem.what(), Catch::Matchers::Contains("/no/such/supervisor"));
  }
  CHECK(runner.capacity().free == 1);
}

TEST_CASE_METHOD(RunnerFixture, "after kill -9 of a supervisor nothing of its tree survives") {
  LocalRunner runner(options(2));
  std::vector<std::string> acts{"ignore-term"}, files;
  for (const char* kind : {"child", "stubborn-child", "daemon", "bare-daemon"}) {
    files.push_back(folder.path() / kind);
    acts.insert(acts.end(), {kind, files.back()});
  }
  files.push_back(folder.path() / "main");
  acts.insert(acts.end(), {"pid-file", files.back(), "hang"});
  const Attempt victim = attempt(1, acts),
                bystander = attempt(2, {"pid-file", folder.path() / "bystander", "hang"});
  const AttemptRecord record = runner.start(victim);
  runner.start(bystander);
  for (const std::string& file : files) REQUIRE(is_running(pid_in(file)));
  const pid_t other = pid_in(folder.path() / "bystander");

  ::kill(static_cast<pid_t>(record.supervisor_pid), SIGKILL);
  wait_for_exit(runner, victim.id);
  for (const std::string& file : files) {
    INFO(file);
    CHECK_FALSE(is_running(pid_in(file)));
  }
  CHECK_FALSE(read_exit(victim.folder, victim.token));
  CHECK(is_running(other));
  CHECK(runner.capacity().free == 1);
}

TEST_CASE_METHOD(RunnerFixture, "after kill -9 of the orchestrator nothing of its attempts survives") {
  const std::string main = folder.path() / "main", daemon = folder.path() / "daemon",
                    bare = folder.path() / "bare";
  const Attempt attempt =
      this->attempt(1, {"ignore-term", "daemon", daemon, "bare-daemon", bare, "pid-file", main, "hang"});
  const pid_t orchestrator = ::fork();
  if (orchestrator == 0) {
    LocalRunner runner(options());
    runner.start(attempt);
    for (;;) ::pause();
  }
  const std::vector<pid_t> tree{pid_in(main), pid_in(daemon), pid_in(bare)};
  ::kill(orchestrator, SIGKILL);
  ::waitpid(orchestrator, nullptr, 0);
  for (const pid_t pid : tree) wait_until([&] { return !is_running(pid); }, "the tree is gone");
  wait_until([&] { return read_exit(attempt.folder, attempt.token).has_value(); }, "exit.json is written");
  CHECK(read_exit(attempt.folder, attempt.token)->stop == StopReason::kLost);
}

TEST_CASE_METHOD(RunnerFixture, "a restarted loop waits for a supervisor that still runs") {
  // The first runner is another process that is suspended: its channel is open, so the supervisor goes on.
  const std::string main = folder.path() / "main";
  const Attempt attempt = this->attempt(1, {"exit-on-term", "0", "pid-file", main, "hang"});
  const auto [first, record] = start_elsewhere(attempt, main);

  LocalRunner second(options());
  REQUIRE(second.attach(record));
  CHECK(second.wait(std::chrono::steady_clock::now()).kind == RunnerEventKind::kDeadline);
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  wait_for_exit(second, attempt.id);
  CHECK(read_exit(attempt.folder, attempt.token)->stop == StopReason::kLost);
  CHECK_FALSE(is_running(pid_in(main)));
}

TEST_CASE_METHOD(RunnerFixture,
                 "a supervisor is heard of while its trainer says nothing, and of long silences") {
  LocalRunner runner(options());
  Attempt attempt = this->attempt(1, {"hang"});
  attempt.quiet_after = Milliseconds(50);
  const AttemptRecord record = runner.start(attempt);
  REQUIRE(record.heartbeat);
  const auto event = [&] {
    return runner.wait(std::chrono::steady_clock::now() + 4 * *record.heartbeat).kind;
  };
  CHECK(event() == RunnerEventKind::kQuiet);
  CHECK(event() == RunnerEventKind::kNoMetric);
  CHECK(event() == RunnerEventKind::kAlive);
}

TEST_CASE_METHOD(RunnerFixture, "a supervisor that was stopped does not outlive its attempt's limit") {
  LocalRunnerOptions impatient = options();
  impatient.supervisor_grace = Milliseconds(50);
  LocalRunner runner(impatient);
  const std::string main = folder.path() / "main";
  Attempt attempt = this->attempt(1, {"pid-file", main, "hang"});
  attempt.time_limit = Milliseconds(2000);
  attempt.grace = Milliseconds(50);
  const AttemptRecord record = runner.start(attempt);
  pid_in(main);
  ::kill(static_cast<pid_t>(record.supervisor_pid), SIGSTOP);
  wait_for_exit(runner, attempt.id);
  CHECK_FALSE(is_running(static_cast<pid_t>(record.supervisor_pid)));
  CHECK_FALSE(is_running(pid_in(main)));
  CHECK(runner.capacity().free == 2);
}

TEST_CASE_METHOD(RunnerFixture,
                 "a stopped supervisor that is told to end its attempt does so in order, with its record") {
  LocalRunner runner(options());
  const std::string main = folder.path() / "main";
  const Attempt attempt = this->attempt(1, {"pid-file", main, "hang"});
  const AttemptRecord record = runner.start(attempt);
  pid_in(main);
  ::kill(static_cast<pid_t>(record.supervisor_pid), SIGSTOP);
  const auto begin = std::chrono::steady_clock::now();
  runner.stop(attempt.id, std::chrono::minutes(1), StopReason::kDrain);
  wait_for_exit(runner, attempt.id);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  const auto report = read_exit(attempt.folder, attempt.token);
  REQUIRE(report);
  CHECK(report->stop == StopReason::kDrain);
}

TEST_CASE_METHOD(RunnerFixture, "a supervisor that is stopped again is not waited for as one that works is") {
  LocalRunnerOptions patient = options();
  patient.supervisor_grace = Milliseconds(9'000);
  LocalRunner runner(patient);
  const std::string main = folder.path() / "main";
  const Attempt attempt = this->attempt(1, {"pid-file", main, "ignore-term", "hang"});
  const AttemptRecord record = runner.start(attempt);
  const pid_t trainer = pid_in(main), supervisor = static_cast<pid_t>(record.supervisor_pid);
  runner.stop(attempt.id, Milliseconds(500), StopReason::kDrain);
  ::kill(supervisor, SIGSTOP);  // before its grace is over
  const auto begin = std::chrono::steady_clock::now();
  wait_for_exit(runner, attempt.id);
  CHECK(std::chrono::steady_clock::now() - begin < Milliseconds(6'000));
  CHECK_FALSE(is_running(trainer));
  CHECK_FALSE(is_running(supervisor));
}

TEST_CASE_METHOD(RunnerFixture,
                 "a stopped supervisor is woken by the death of its orchestrator, and ends its tree") {
  const std::string main = folder.path() / "main";
  const Attempt attempt = this->attempt(1, {"pid-file", main, "hang"});
  const auto [first, record] = start_elsewhere(attempt, main);
  const auto supervisor = static_cast<pid_t>(record.supervisor_pid);
  const pid_t trainer = pid_in(main);
  ::kill(supervisor, SIGSTOP);
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  wait_until([&] { return !is_running(trainer) && !is_running(supervisor); }, "both are gone");
  CHECK(read_exit(attempt.folder, attempt.token)->stop == StopReason::kLost);
}

TEST_CASE_METHOD(RunnerFixture, "attaching ends what outlived both its orchestrator and its supervisor") {
  const std::string daemon = folder.path() / "daemon";
  const Attempt attempt = this->attempt(1, {"daemon", daemon, "hang"});
  const std::string note = folder.path() / "note";
  const pid_t first = ::fork();
  if (first == 0) {
    LocalRunner runner(options());
    write_file_atomically(note, std::to_string(runner.start(attempt).supervisor_pid));
    for (;;) ::pause();
  }
  const pid_t survivor = pid_in(daemon), supervisor = pid_in(note);
  // Both are suspended first, so that neither can clear up after the other.
  for (const pid_t pid : {first, supervisor}) ::kill(pid, SIGSTOP);
  for (const pid_t pid : {supervisor, first}) ::kill(pid, SIGKILL);
  ::waitpid(first, nullptr, 0);
  wait_until([&] { return !is_running(supervisor); }, "the supervisor is gone");
  REQUIRE(is_running(survivor));

  LocalRunner second(options());
  AttemptRecord record;
  record.id = attempt.id;
  record.token = attempt.token;
  record.folder = attempt.folder;
  record.boot_id = boot_id();
  record.supervisor_pid = supervisor;
  record.supervisor_start_time = 1;
  if (second.attach(record)) wait_for_exit(second, attempt.id);
  // A process that is killed is there for a moment longer, without a memory that could be recognised.
  wait_until([&] { return !is_running(survivor); }, "what it left is gone");
}

TEST_CASE_METHOD(RunnerFixture, "a stored pid that is a stranger's by now is not touched") {
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    ::setsid();
    for (;;) ::pause();
  }
  wait_until([&] { return process_info(stranger)->session == stranger; }, "the stranger leads a session");
  AttemptRecord record;
  record.id = {1, 1};
  record.token = "token-1";
  record.boot_id = boot_id();
  record.supervisor_pid = stranger;
  record.supervisor_start_time = process_info(stranger)->start_time + 1;
  {
    LocalRunner runner(options());
    SECTION("in the same boot") {}
    SECTION("after a reboot") {
      record.supervisor_start_time -= 1;
      record.boot_id = "another boot";
    }
    // The stranger is a child of this very process, as an orphan would be; it is the identity that protects
    // it.
    ScopedVariable token("TUNE_ATTEMPT_TOKEN", std::nullopt);
    CHECK_FALSE(runner.attach(record));
  }
  CHECK(is_running(stranger));
  ::kill(stranger, SIGKILL);
  ::waitpid(stranger, nullptr, 0);
}

TEST_CASE_METHOD(RunnerFixture, "a runner that is destroyed takes its trees with it") {
  const std::string main = folder.path() / "main", daemon = folder.path() / "daemon";
  {
    LocalRunner runner(options());
    runner.start(attempt(1, {"ignore-term", "daemon", daemon, "pid-file", main, "hang"}));
    pid_in(main);
  }
  CHECK_FALSE(is_running(pid_in(main)));
  CHECK_FALSE(is_running(pid_in(daemon)));
}

TEST_CASE_METHOD(RunnerFixture, "Python gives out what it prints at once, unless the spec says otherwise") {
  LocalRunner runner(options());
  const auto seen = [&](int trial, const std::function<void(Attempt&)>& change) {
    Attempt attempt = this->attempt(trial, {"environment", "PYTHONUNBUFFERED"});
    change(attempt);
    runner.start(attempt);
    wait_for_exit(runner, attempt.id);
    return read_file(attempt.folder / "log");
  };
  const ScopedVariable own("PYTHONUNBUFFERED", "");
  CHECK(seen(1, [](Attempt&) {}) == "PYTHONUNBUFFERED=1\n");
  CHECK(seen(2, [](Attempt& a) { a.environment["PYTHONUNBUFFERED"] = ""; }) == "PYTHONUNBUFFERED=\n");
  CHECK(seen(3, [](Attempt& a) { a.secret_environment["PYTHONUNBUFFERED"] = "x"; }) ==
        "PYTHONUNBUFFERED=x\n");
}
TEST_CASE_METHOD(RunnerFixture, "many short attempts all exit with their metric") {
  LocalRunner runner(options(2));
  int started = 0, exited = 0;
  constexpr int kCount = 100;
  while (exited < kCount) {
    while (started < kCount && runner.capacity().free > 0) {
      ++started;
      runner.start(attempt(started, {"print", "loss=" + std::to_string(started)}));
    }
    const RunnerEvent event = runner.wait(soon());
    REQUIRE(event.kind != RunnerEventKind::kDeadline);
    if (event.kind != RunnerEventKind::kExited) continue;
    ++exited;
    const std::string token = "token-" + std::to_string(event.id.trial);
    const std::filesystem::path attempt_folder =
        folder.path() / "trials" / std::to_string(event.id.trial) / "attempts" / "1";
    REQUIRE(read_exit(attempt_folder, token)->exit_code == 0);
    REQUIRE(read_metrics(attempt_folder, 0, token).records.at(0).point.value == event.id.trial);
  }
}
