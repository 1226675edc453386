#include "tuner/engine/devices/gpu.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/engine/devices/machine.h"
#include "tuner/os/atomic_file.h"
#include "unit/engine/attempt/runner_fixture.h"

using namespace tune;
using namespace tune::engine;
using namespace tune::tests;
using Catch::Matchers::Contains;

namespace {

struct GpuFixture : RunnerFixture {
  std::filesystem::path machine_file = folder.path() / "gpus.json";
  ScopedVariable fake_nvml{"TUNE_NVML_LIBRARY", TUNE_TEST_BIN_DIR "/libfake_nvml.so"};
  ScopedVariable fake_machine{"TUNE_FAKE_NVML", machine_file.string()};
  Json gpus = Json::array();

  void show(int count) {
    gpus = Json::array();
    for (int i = 0; i < count; ++i)
      gpus.push_back({{"uuid", "GPU-" + std::to_string(i)},
                      {"name", "Fake"},
                      {"used", 0},
                      {"processes", Json::array()}});
    update();
  }
  void update() const {
    write_file_atomically(machine_file, Json{{"driver", "570.1"}, {"gpus", gpus}}.dump());
  }
  LocalRunnerOptions gpu_options(std::optional<int> gpus_per_trial = std::nullopt,
                                 int trials_per_gpu = 1) const {
    LocalRunnerOptions result = options(std::nullopt);
    result.resources.gpus_per_trial = gpus_per_trial;
    result.resources.trials_per_gpu = trials_per_gpu;
    return result;
  }
};

std::vector<std::string> names(const std::vector<Gpu>& gpus) {
  std::vector<std::string> result;
  for (const Gpu& gpu : gpus) result.push_back(gpu.uuid);
  return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("CUDA_VISIBLE_DEVICES chooses by index, UUID or the beginning of one, and ends at a bad entry") {
  const std::vector<Gpu> gpus{
      {"GPU-aa1", "", 0, 0, {}}, {"GPU-bb2", "", 0, 0, {}}, {"GPU-cc3", "", 0, 0, {}}};
  CHECK(names(visible_gpus(gpus, nullptr)) == Names{"GPU-aa1", "GPU-bb2", "GPU-cc3"});
  CHECK(names(visible_gpus(gpus, "")).empty());
  CHECK(names(visible_gpus(gpus, "-1")).empty());
  CHECK(names(visible_gpus(gpus, "2,0")) == Names{"GPU-cc3", "GPU-aa1"});
  CHECK(names(visible_gpus(gpus, "GPU-bb2, GPU-a")) == Names{"GPU-bb2", "GPU-aa1"});
  CHECK(names(visible_gpus(gpus, "1,7,0")) == Names{"GPU-bb2"});
  CHECK(names(visible_gpus(gpus, "1,1")) == Names{"GPU-bb2"});
  CHECK(names(visible_gpus(gpus, "MIG-9")) == Names{"MIG-9"});
}

TEST_CASE_METHOD(GpuFixture, "NVML tells the machine's GPUs and the driver") {
  show(2);
  gpus[1]["used"] = 5;
  gpus[1]["processes"] = {11, 12};
  update();
  const Machine machine = inspect_machine();
  CHECK(machine.driver == "570.1");
  REQUIRE(names(machine.gpus) == Names{"GPU-0", "GPU-1"});
  CHECK(machine.gpus[1].memory_used == 5);
  CHECK(machine.gpus[1].processes == std::vector<std::int64_t>{11, 12});
  CHECK(machine.lease_folder == folder.path() / "leases");
}

TEST_CASE_METHOD(RunnerFixture, "a machine without NVML has no GPUs and says why") {
  const Machine machine = inspect_machine();
  CHECK(machine.gpus.empty());
  CHECK_THAT(machine.nvml_problem, Contains("/no/such/library.so"));
  CHECK_FALSE(machine.cores.empty());
}

TEST_CASE_METHOD(GpuFixture, "each trial gets a GPU of its own by its UUID") {
  show(2);
  LocalRunner runner(gpu_options());
  CHECK(runner.capacity().total == 2);
  const Attempt first = attempt(1, {"environment", "CUDA_VISIBLE_DEVICES", "hang"}),
                second = attempt(2, {"hang"});
  const AttemptRecord one = runner.start(first), two = runner.start(second);
  REQUIRE(one.devices.size() == 1);
  REQUIRE(two.devices.size() == 1);
  CHECK(one.devices != two.devices);
  CHECK(runner.capacity().free == 0);
  wait_until(
      [&] {
        return std::filesystem::exists(first.folder / "log") &&
               read_file(first.folder / "log").ends_with("\n");
      },
      "the trainer has printed");
  CHECK(read_file(first.folder / "log") == "CUDA_VISIBLE_DEVICES=" + one.devices[0] + "\n");
  CHECK(Json::parse(read_file(first.folder / "trial.json"))["devices"] == Json(one.devices));
  runner.stop(first.id, Milliseconds(0), StopReason::kRule);
  wait_for_exit(runner, first.id);
  CHECK(runner.capacity().free == 1);
}

TEST_CASE_METHOD(GpuFixture,
                 "a program that reads numbers gets the indices of its GPUs, those that CUDA would count") {
  show(4);
  const ScopedVariable chosen("CUDA_VISIBLE_DEVICES", "3,1");
  LocalRunnerOptions by_index = gpu_options(2);
  by_index.resources.visible_devices = VisibleDevices::kIndex;
  LocalRunner runner(by_index);
  const Attempt attempt =
      this->attempt(1, {"environment", "CUDA_VISIBLE_DEVICES", "environment", "CUDA_DEVICE_ORDER"});
  const AttemptRecord record = runner.start(attempt);
  wait_for_exit(runner, attempt.id);
  CHECK(record.devices == Names{"GPU-1", "GPU-3"});
  CHECK(read_file(attempt.folder / "log") == "CUDA_VISIBLE_DEVICES=1,3\nCUDA_DEVICE_ORDER=PCI_BUS_ID\n");
  CHECK(Json::parse(read_file(attempt.folder / "trial.json"))["devices"] == Json(Names{"GPU-1", "GPU-3"}));
}

TEST_CASE_METHOD(GpuFixture, "MIG devices are leased under both forms of their names, and have no index") {
  show(1);
  const std::string name = GENERATE(as<std::string>(), "MIG-GPU-abc/1/0", "MIG-1234-5678");
  const ScopedVariable chosen("CUDA_VISIBLE_DEVICES", name);
  {
    LocalRunner runner(gpu_options(1));
    const Attempt attempt = this->attempt(1, {"environment", "CUDA_VISIBLE_DEVICES", "hang"});
    CHECK(runner.start(attempt).devices == Names{name});
    CHECK(LocalRunner(gpu_options(1)).capacity().free == 0);
    const auto has_printed = [&] {
      return std::filesystem::exists(attempt.folder / "log") &&
             read_file(attempt.folder / "log").ends_with("\n");
    };
    wait_until(has_printed, "the trainer has printed");
    CHECK(read_file(attempt.folder / "log") == "CUDA_VISIBLE_DEVICES=" + name + "\n");
  }
  LocalRunnerOptions by_index = gpu_options(1);
  by_index.resources.visible_devices = VisibleDevices::kIndex;
  try {
    LocalRunner{by_index};
    FAIL("a MIG device was given an index");
  } catch (const Error& problem) {
    CHECK(problem.code() == ExitCode::kEnvironment);
    CHECK_THAT(problem.what(), Contains(name) && Contains("has no index"));
  }
}

TEST_CASE_METHOD(GpuFixture, "a trial may have several GPUs, and several trials may share one") {
  show(3);
  {
    LocalRunner runner(gpu_options(2));
    CHECK(runner.capacity().total == 1);
    CHECK(runner.start(attempt(1, {"hang"})).devices.size() == 2);
    CHECK(runner.capacity().free == 0);
  }
  LocalRunner runner(gpu_options(1, 2));
  CHECK(runner.capacity().total == 6);
  std::map<std::string, int> used;
  for (int trial = 2; trial <= 5; ++trial) ++used[runner.start(attempt(trial, {"hang"})).devices.at(0)];
  CHECK(used.size() == 3);
  CHECK(runner.capacity().free == 2);
}

TEST_CASE_METHOD(GpuFixture, "more GPUs a trial than there are is an error of the environment") {
  show(1);
  try {
    LocalRunner runner(gpu_options(2));
    FAIL("it was accepted");
  } catch (const Error& problem) {
    CHECK(problem.code() == ExitCode::kEnvironment);
    CHECK_THAT(problem.what(), Contains("gpus_per_trial is 2") && Contains("1 GPU"));
  }
  ScopedVariable none("CUDA_VISIBLE_DEVICES", "");
  CHECK_THROWS_WITH(LocalRunner(gpu_options(1)), Contains("no GPU") && Contains("CUDA_VISIBLE_DEVICES"));
  LocalRunner on_cpu(gpu_options());
  CHECK(on_cpu.start(attempt(1, {})).devices.empty());
}

TEST_CASE_METHOD(GpuFixture, "a trial without a GPU of its own sees none, whatever it asks for") {
  show(1);
  const std::optional<int> gpus_per_trial = GENERATE(std::optional<int>(0), std::optional<int>());
  // Either no GPU is wanted, or this process may use none.
  std::optional<ScopedVariable> none;
  if (!gpus_per_trial) none.emplace("CUDA_VISIBLE_DEVICES", "-1");
  LocalRunner runner(gpu_options(gpus_per_trial));
  Attempt on_cpu = attempt(1, {"environment", "CUDA_VISIBLE_DEVICES"});
  on_cpu.environment["CUDA_VISIBLE_DEVICES"] = "0";
  CHECK(runner.start(on_cpu).devices.empty());
  wait_for_exit(runner, on_cpu.id);
  CHECK(read_file(on_cpu.folder / "log") == "CUDA_VISIBLE_DEVICES=\n");
}

TEST_CASE_METHOD(GpuFixture, "two runners share the GPUs through the leases") {
  show(2);
  LocalRunner one(gpu_options()), two(gpu_options());
  const Attempt first = attempt(1, {"hang"});
  const std::string device = one.start(first).devices.at(0);
  CHECK(two.capacity().free == 1);
  CHECK(two.start(attempt(2, {"hang"})).devices.at(0) != device);
  CHECK(one.capacity().free == 0);
  try {
    two.start(attempt(3, {}));
    FAIL("a GPU was given twice");
  } catch (const Error& problem) {
    CHECK(problem.code() == ExitCode::kConflict);
  }
  // A wait of the one ends when the other gives a GPU back.
  one.stop(first.id, Milliseconds(0), StopReason::kRule);
  wait_for_exit(one, first.id);
  wait_until(
      [&] {
        two.wait(std::chrono::steady_clock::now() + Milliseconds(10));
        return two.capacity().free == 1;
      },
      "the lease is free");
}

TEST_CASE_METHOD(GpuFixture, "a lease lasts as long as a process of the tree lives, whatever else has died") {
  show(1);
  const std::string main = folder.path() / "main";
  const pid_t orchestrator = ::fork();
  if (orchestrator == 0) {
    LocalRunner runner(gpu_options());
    const AttemptRecord record =
        runner.start(attempt(1, {"daemon", folder.path() / "daemon", "pid-file", main, "hang"}));
    write_file_atomically(folder.path() / "supervisor", std::to_string(record.supervisor_pid));
    for (;;) ::pause();
  }
  pid_in(main);
  const pid_t daemon = pid_in(folder.path() / "daemon"), supervisor = pid_in(folder.path() / "supervisor");
  for (const pid_t pid : {orchestrator, supervisor}) ::kill(pid, SIGSTOP);
  for (const pid_t pid : {supervisor, orchestrator}) ::kill(pid, SIGKILL);
  ::waitpid(orchestrator, nullptr, 0);
  wait_until([&] { return !is_running(supervisor); }, "the supervisor is gone");
  REQUIRE(is_running(daemon));
  LocalRunner runner(gpu_options());
  CHECK(runner.capacity().free == 0);
  ::kill(daemon, SIGKILL);
  wait_until([&] { return runner.capacity().free == 1; }, "the lease is free");
}

TEST_CASE_METHOD(GpuFixture, "only equal trials_per_gpu share a GPU") {
  show(1);
  LocalRunner two_each(gpu_options(1, 2)), three_each(gpu_options(1, 3));
  const Attempt first = attempt(1, {"hang"});
  two_each.start(first);
  const Capacity capacity = three_each.capacity();
  CHECK(capacity.free == 0);
  REQUIRE(capacity.notices.size() == 1);
  CHECK_THAT(capacity.notices[0], Contains("trials_per_gpu 2") && Contains("3"));
  CHECK(two_each.capacity().free == 1);
  two_each.stop(first.id, Milliseconds(0), StopReason::kRule);
  wait_for_exit(two_each, first.id);
  CHECK(three_each.capacity().free == 3);
}

TEST_CASE_METHOD(GpuFixture, "a GPU with foreign memory that nobody leases is skipped with a notice") {
  show(2);
  gpus[0]["used"] = 3ull << 30;
  gpus[0]["processes"] = {812};
  update();
  LocalRunner runner(gpu_options());
  const Capacity capacity = runner.capacity();
  CHECK(capacity.total == 2);
  CHECK(capacity.free == 1);
  REQUIRE(capacity.notices.size() == 1);
  CHECK_THAT(capacity.notices[0], Contains("GPU-0") && Contains("3.0 GiB") && Contains("812"));
  CHECK(runner.start(attempt(1, {"hang"})).devices == Names{"GPU-1"});
  gpus[0]["used"] = 0;
  gpus[0]["processes"] = Json::array();
  update();
  wait_until([&] { return runner.capacity().free == 1; }, "the stranger's memory is gone");
}

TEST_CASE_METHOD(GpuFixture, "memory on a GPU that we lease ourselves is not foreign") {
  show(1);
  LocalRunner runner(gpu_options(1, 2));
  runner.start(attempt(1, {"hang"}));
  gpus[0]["used"] = 9ull << 30;
  update();
  LocalRunner other(gpu_options(1, 2));
  CHECK(other.capacity().free == 1);
  CHECK(other.capacity().notices.empty());
}

TEST_CASE_METHOD(GpuFixture,
                 "a GPU that still shows a process of an ended attempt is held back until it goes") {
  show(1);
  LocalRunner runner(gpu_options());
  const Attempt first = attempt(1, {"hang"});
  runner.start(first);
  // A pid that no process has: a trainer that is gone, but not yet from the driver's list.
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ::waitpid(gone, nullptr, 0);
  gpus[0]["processes"] = {gone};
  update();
  runner.stop(first.id, Milliseconds(0), StopReason::kRule);
  wait_for_exit(runner, first.id);
  const Capacity capacity = runner.capacity();
  CHECK(capacity.free == 0);
  REQUIRE(capacity.notices.size() == 1);
  CHECK_THAT(capacity.notices[0], Contains("held back") && Contains(std::to_string(gone)));
  gpus[0]["processes"] = Json::array();
  update();
  wait_until([&] { return runner.capacity().free == 1; }, "the GPU is free");
}

TEST_CASE_METHOD(GpuFixture,
                 "a GPU that has fallen off the bus is told, and a driver that shows too few is a problem") {
  show(2);
  LocalRunner runner(gpu_options(1));
  CHECK(runner.capacity().problem.empty());
  CHECK(runner.lost_devices({"GPU-0", "GPU-1"}).empty());
  show(1);
  CHECK(runner.lost_devices({"GPU-0", "GPU-1"}) == Names{"GPU-1"});
  CHECK(runner.lost_devices({"MIG-7", "GPU-0"}).empty());
  CHECK(runner.lost_devices({}).empty());
  show(0);
  CHECK(runner.lost_devices({"GPU-0"}) == Names{"GPU-0"});
  wait_until([&] { return !runner.capacity().problem.empty(); }, "the driver's state is read again");
  CHECK(runner.capacity().free == 0);
  CHECK_THAT(runner.capacity().problem, Contains("the driver shows no GPU"));
  show(2);
  wait_until([&] { return runner.capacity().free == 2; }, "the GPUs are back");
  CHECK(runner.capacity().problem.empty());
}

TEST_CASE_METHOD(GpuFixture, "a trial of two GPUs is told that it is two processes, and where they meet") {
  show(2);
  LocalRunner runner(gpu_options());  // one GPU a trial
  Attempt alone = attempt(1, {"environment", "PET_NPROC_PER_NODE"});
  runner.start(alone);
  wait_for_exit(runner, alone.id);
  CHECK(read_file(alone.folder / "log") == "PET_NPROC_PER_NODE=(unset)\n");
  CHECK_FALSE(Json::parse(read_file(alone.folder / kTrialFile)).contains("processes"));

  LocalRunner both(gpu_options(2));
  std::map<std::string, std::string> told;
  int number = 1;
  for (const char* name : {"PET_NPROC_PER_NODE", "TUNE_PROCESSES", "MASTER_ADDR", "MASTER_PORT"}) {
    Attempt one = attempt(++number, {"environment", name});
    both.start(one);
    wait_for_exit(both, one.id);
    const std::string line = read_file(one.folder / "log");
    told[name] = line.substr(line.find('=') + 1, line.size() - line.find('=') - 2);
    CHECK(Json::parse(read_file(one.folder / kTrialFile)).at("processes") == 2);
  }
  CHECK(told["PET_NPROC_PER_NODE"] == "2");
  CHECK(told["TUNE_PROCESSES"] == "2");
  CHECK(told["MASTER_ADDR"] == "127.0.0.1");
  CHECK(std::stoi(told["MASTER_PORT"]) > 1023);
}

TEST_CASE_METHOD(GpuFixture, "a trial on GPUs is of as many processes as it has of them") {
  show(2);
  LocalRunnerOptions options = gpu_options();
  options.resources.processes_per_trial = 2;
  CHECK_THROWS_WITH(LocalRunner(options), Contains("processes_per_trial is 2") && Contains("1 GPU"));
  options.resources.gpus_per_trial = 0;
  LocalRunner on_cpu(options);
  Attempt one = attempt(1, {"environment", "TUNE_PROCESSES"});
  CHECK(on_cpu.start(one).devices.empty());
  wait_for_exit(on_cpu, one.id);
  CHECK(read_file(one.folder / "log") == "TUNE_PROCESSES=2\n");
}
