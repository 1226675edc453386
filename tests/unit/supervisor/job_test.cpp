// A supervisor that runs in a cluster's job: files alone connect it with its runner.
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"

using namespace tune;
using namespace tune::tests;

namespace {

Json in_job(const Json& job = Json::object()) {
  Json whole = {{"program_bytes", std::filesystem::file_size(TUNE_BIN_DIR "/tune-supervisor")}};
  whole.update(job);
  return {{"control", -1}, {"job", whole}, {"grace_ms", 2'000}};
}

// A trainer that says that it runs, and waits.
const std::vector<std::string> kWaits{"sh", "-c", "echo x >> ran; while :; do sleep 0.02; done"};

int times_run(const std::filesystem::path& folder) {
  std::ifstream file(folder / "ran");
  int lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  return lines;
}

void wait_for_trainer(const std::filesystem::path& folder) {
  wait_until([&] { return times_run(folder) == 1; }, "the trainer");
}

void write(const std::filesystem::path& file, const Json& json) { std::ofstream(file) << json.dump(); }

}  // namespace

TEST_CASE("the first supervisor of a job's attempt has it, and a second one says so and ends at once") {
  const TemporaryFolder folder;
  SupervisorRun first(folder.path(), {"sh", "-c", "echo x >> ran"}, in_job());
  CHECK(first.wait().at("exit_code") == 0);
  const Json alive = Json::parse(std::ifstream(folder.path() / "alive.json"));
  CHECK(alive.at("token") == "token");
  CHECK_FALSE(std::filesystem::exists(folder.path() / "again"));
  SupervisorRun second(folder.path(), {"sh", "-c", "echo x >> ran"}, in_job());
  second.wait();
  CHECK(times_run(folder.path()) == 1);
  CHECK(std::filesystem::exists(folder.path() / "again"));
}

TEST_CASE("a job's attempt ends as its runner writes, and one that was given up ends at once") {
  const TemporaryFolder stopped, fenced;
  SupervisorRun one(stopped.path(), kWaits, in_job());
  wait_for_trainer(stopped.path());
  write(stopped.path() / "stop.json", {{"token", "another"}, {"grace_ms", 0}, {"reason", "person"}});
  write(stopped.path() / "stop.json", {{"token", "token"}, {"grace_ms", 1'000}, {"reason", "rule"}});
  const Json end = one.wait();
  CHECK(end.at("stop") == "rule");
  CHECK(end.at("signal") == SIGTERM);
  SupervisorRun other(fenced.path(), kWaits, in_job());
  wait_for_trainer(fenced.path());
  std::ofstream(fenced.path() / "fence");
  CHECK(other.wait().at("stop") == "lost");
}

TEST_CASE("a job's attempt that was stopped before it began starts nothing") {
  const TemporaryFolder folder;
  write(folder.path() / "stop.json", {{"token", "token"}, {"grace_ms", 1'000}, {"reason", "drain"}});
  SupervisorRun run(folder.path(), kWaits, in_job());
  CHECK(run.wait().at("stop") == "drain");
  CHECK(times_run(folder.path()) == 0);
}

TEST_CASE("another build of the supervisor than the one beside tune starts nothing, and names both") {
  const TemporaryFolder folder;
  SupervisorRun run(folder.path(), kWaits, in_job({{"program_bytes", 17}}));
  const Json end = run.wait();
  CHECK(end.at("failure").get<std::string>().find("another build") != std::string::npos);
  CHECK(end.contains("start_error"));
  CHECK(times_run(folder.path()) == 0);
}

TEST_CASE(
    "a trainer that had the cluster's signal before its supervisor was ended by it, and not by itself") {
  for (const char* act : {"", "trap 'exit 3' TERM; "}) {
    CAPTURE(act);
    const TemporaryFolder folder;
    SupervisorRun run(
        folder.path(),
        {"sh", "-c", act + std::string("echo $$ > pid.new; mv pid.new pid; while :; do sleep 0.01; done")},
        in_job());
    const pid_t trainer = pid_in(folder.path() / "pid");
    ::kill(trainer, SIGTERM);
    wait_until([&] { return !is_running(trainer); }, "the trainer's end");
    ::kill(run.pid(), SIGTERM);
    CHECK(run.wait().at("stop") == "terminated");
  }
}

TEST_CASE("processes on several nodes that end well on the cluster's signal were ended by it") {
  const TemporaryFolder folder;
  SupervisorRun run(
      folder.path(),
      {"sh", "-c", "trap 'exit 0' TERM; echo $$ > pid.new; mv pid.new pid; while :; do sleep 0.01; done"},
      in_job({{"nodes", 2}}));
  const pid_t trainer = pid_in(folder.path() / "pid");
  ::kill(trainer, SIGTERM);
  wait_until([&] { return !is_running(trainer); }, "the trainer's end");
  ::usleep(100'000);
  ::kill(run.pid(), SIGTERM);
  CHECK(run.wait().at("stop") == "terminated");
}

TEST_CASE("a job's attempt ends by itself before its job's time is over") {
  const TemporaryFolder folder;
  SupervisorRun run(folder.path(), kWaits, in_job({{"time_left_ms", 700}}));
  CHECK(run.wait().at("stop") == "job time limit");
}
