// A runner whose Slurm is a few shell lines: what it does when files, programs and people fail it.
#include "tuner/engine/slurm/slurm_runner.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/engine/slurm/job_records.h"
#include "tuner/engine/slurm/node_probe.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

// Programs first on the path as long as it lives.
class StandIns {
 public:
  StandIns() {
    fs::create_directory(bin());
    for (const char* name : {"squeue", "scancel", "scontrol", "sinfo"}) write(name, "exit 0");
    write("sbatch", "echo 7");
    write("tune-supervisor", "exit 0");
    const char* path = std::getenv("PATH");
    before_ = path == nullptr ? "" : path;
    ::setenv("PATH", (bin().string() + ":" + before_).c_str(), 1);
  }
  ~StandIns() { ::setenv("PATH", before_.c_str(), 1); }
  StandIns(const StandIns&) = delete;
  StandIns& operator=(const StandIns&) = delete;

  // The lines run in folder().
  void write(const std::string& name, const std::string& lines) const {
    std::ofstream(bin() / name) << "#!/bin/sh\ncd " << folder().string() << "\n" << lines << "\n";
    fs::permissions(bin() / name, fs::perms::owner_all);
  }
  fs::path folder() const { return folder_.path(); }
  fs::path bin() const { return folder_.path() / "bin"; }
  SlurmRunnerOptions options() const {
    SlurmRunnerOptions options;
    options.study = "s";
    options.work = folder() / "work";
    options.supervisor = bin() / "tune-supervisor";
    return options;
  }

 private:
  tests::TemporaryFolder folder_;
  std::string before_;
};

Attempt attempt_in(const fs::path& folder) {
  fs::create_directories(folder);
  Attempt attempt;
  attempt.id = {1, 1};
  attempt.token = "ab12";
  attempt.folder = folder;
  attempt.checkpoint_folder = folder;
  attempt.argv = {"true"};
  attempt.working_directory = "/";
  attempt.trial_json = Json::object();
  return attempt;
}

// No file can be opened as long as it lives: the machine's fault, and not that of what lies there.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(lowest >= 0);
    ::close(lowest);
    const rlimit none{static_cast<rlim_t>(lowest), before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_{};
};

std::string all_of(const std::vector<std::string>& notices) {
  std::string text;
  for (const std::string& each : notices) text += each + "\n";
  return text;
}

RunnerEvent next_event(SlurmRunner& runner) {
  const SteadyTime until = steady_clock::now() + std::chrono::seconds(20);
  RunnerEvent event;
  do event = runner.wait(until);
  while (event.kind == RunnerEventKind::kWoken);
  return event;
}

TEST_CASE("a job that is stopped before it was submitted ends, also where its files cannot be read") {
  const StandIns slurm;
  SlurmRunner runner(slurm.options());
  const fs::path folder = slurm.folder() / "attempt";
  runner.start(attempt_in(folder));
  {
    const NoMoreFiles none;
    runner.stop({1, 1}, Milliseconds(0), StopReason::kDrain);
  }
  const RunnerEvent event = next_event(runner);
  CHECK(event.kind == RunnerEventKind::kExited);
  CHECK(event.held == Milliseconds(0));
  CHECK(all_of(runner.take_notices()).find("exit.json") != std::string::npos);
}

TEST_CASE("a report that cannot be read now is said once, with place and cure, and is read later") {
  const StandIns slurm;
  SlurmRunner runner(slurm.options());
  const fs::path folder = slurm.folder() / "attempt";
  runner.start(attempt_in(folder));
  // Until it is submitted.
  tests::wait_until(
      [&] {
        runner.wait(steady_clock::now() + Milliseconds(20));
        const auto submitted = read_submit(folder);
        return submitted && submitted->job == "7";
      },
      "the job");
  std::ofstream(folder / "alive.json") << R"({"token": "ab12", "job": "7", "node": "n1"})";
  CHECK(next_event(runner).kind == RunnerEventKind::kBegan);
  runner.take_notices();  // of its clock
  std::ofstream(folder / "exit.json") << R"({"schema": 1, "token": "ab12", "wall_seconds": 2.5})";
  {
    const NoMoreFiles none;
    for (int i = 0; i < 10; ++i) {
      const RunnerEvent event = runner.wait(steady_clock::now() + Milliseconds(60));
      CHECK(event.kind == RunnerEventKind::kDeadline);
    }
  }
  const std::vector<std::string> notices = runner.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices.front().find((folder / "exit.json").string()) != std::string::npos);
  CHECK(notices.front().find("see to the disk") != std::string::npos);
  const RunnerEvent event = next_event(runner);
  CHECK(event.kind == RunnerEventKind::kExited);
  CHECK(event.held == Milliseconds(2'500));
}

TEST_CASE("a job whose submission cannot be read is fenced, and its trial begins again") {
  const StandIns slurm;
  SlurmRunner runner(slurm.options());
  const Attempt attempt = attempt_in(slurm.folder() / "attempt");
  write_submit(attempt.folder, {attempt.token, "batch", 0, "7", {}});
  AttemptRecord record;
  record.id = attempt.id;
  record.token = attempt.token;
  record.folder = attempt.folder;
  {
    const NoMoreFiles none;
    CHECK(runner.attach(record));
  }
  CHECK(all_of(runner.take_notices()).find("submit.json") != std::string::npos);
  CHECK(runner.capacity().free == 7);
}

TEST_CASE("a person who interrupts twice does not wait for a controller that is silent") {
  const StandIns slurm;
  slurm.write("squeue", "touch asked; sleep 60");
  slurm.write("sbatch", "touch asked; sleep 60");
  std::atomic<int> signals{0};
  SlurmRunnerOptions options = slurm.options();
  options.signals = [&] { return signals.load(); };
  auto runner = std::make_unique<SlurmRunner>(options);
  runner->start(attempt_in(slurm.folder() / "attempt"));
  tests::wait_until(
      [&] {
        runner->wait(steady_clock::now() + Milliseconds(20));
        return fs::exists(slurm.folder() / "asked");
      },
      "sbatch");
  std::thread person([&] {
    std::this_thread::sleep_for(Milliseconds(200));
    signals = 2;
  });
  const SteadyTime before = steady_clock::now();
  runner.reset();
  person.join();
  // sbatch alone would have taken a minute.
  CHECK(steady_clock::now() - before < std::chrono::seconds(20));
  // Whoever comes next finds by this what may have been submitted.
  const auto submitted = read_submit(slurm.folder() / "attempt");
  REQUIRE(submitted);
  CHECK_FALSE(submitted->batch.empty());
  CHECK(submitted->job.empty());
}

TEST_CASE("a signal ends a probe whose sbatch does not answer, and is no failure") {
  const StandIns slurm;
  Spec spec;
  spec.study = "s";
  spec.folder = slurm.folder();
  const auto probe = [&] {
    return probe_node({spec, slurm.folder() / "work", slurm.bin() / "tune-supervisor",
                       [&] { return fs::exists(slurm.folder() / "asked") ? 1 : 0; },
                       [](const std::string&) {}});
  };
  slurm.write("sbatch", "touch asked; sleep 60");
  const SteadyTime before = steady_clock::now();
  CHECK_FALSE(probe());
  // Between two tries, too.
  fs::remove(slurm.folder() / "asked");
  slurm.write("sbatch", "touch asked; echo 'Unable to contact slurm controller' >&2; exit 1");
  CHECK_FALSE(probe());
  CHECK(steady_clock::now() - before < std::chrono::seconds(20));
}

}  // namespace
}  // namespace tune::engine
