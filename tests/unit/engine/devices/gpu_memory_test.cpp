// What attempts hold of a GPU's memory, and how trials share it by that.
#include <unistd.h>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "unit/engine/attempt/runner_fixture.h"

using namespace tune;
using namespace tune::engine;
using namespace tune::tests;
using Catch::Matchers::Contains;

namespace {

constexpr std::uint64_t kGibibyte = std::uint64_t{1} << 30;

// One GPU of 16 GiB, as the fake NVML shows it.
struct GpuMemoryFixture : RunnerFixture {
  std::filesystem::path machine_file = folder.path() / "gpus.json";
  ScopedVariable fake_nvml{"TUNE_NVML_LIBRARY", TUNE_TEST_BIN_DIR "/libfake_nvml.so"};
  ScopedVariable fake_machine{"TUNE_FAKE_NVML", machine_file.string()};

  void show(std::uint64_t used, const Json& processes = Json::array()) const {
    const Json gpu{{"uuid", "GPU-0"}, {"used", used}, {"total", 16 * kGibibyte}, {"processes", processes}};
    write_file_atomically(machine_file, Json{{"driver", "570.1"}, {"gpus", {gpu}}}.dump());
  }
  static Json process(pid_t pid, std::uint64_t used) { return {{"pid", pid}, {"used", used}}; }
  LocalRunnerOptions packing() const {
    LocalRunnerOptions result = options(std::nullopt);
    result.resources.packs_gpus = true;
    return result;
  }
  Attempt sized(int trial, std::optional<std::uint64_t> memory,
                std::vector<std::string> acts = {"hang"}) const {
    Attempt result = attempt(trial, std::move(acts));
    result.memory = memory;
    return result;
  }
  // Lets the runner look at the memory a few times.
  static void look(TrialRunner& runner) {
    const SteadyTime until = std::chrono::steady_clock::now() + Milliseconds(1'600);
    while (std::chrono::steady_clock::now() < until) runner.wait(until);
  }
  static MemoryUse end(TrialRunner& runner, AttemptId id) {
    runner.stop(id, Milliseconds(0), StopReason::kRule);
    const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (;;) {
      const RunnerEvent event = runner.wait(deadline);
      REQUIRE(event.kind != RunnerEventKind::kDeadline);
      if (event.kind == RunnerEventKind::kExited && event.id == id) return event.memory;
    }
  }
};

}  // namespace

TEST_CASE_METHOD(GpuMemoryFixture, "the most that the processes of an attempt held is told with its end") {
  show(0);
  LocalRunner runner(packing());
  const std::string trainer_file = folder.path() / "trainer", child_file = folder.path() / "child";
  const Attempt one = sized(1, std::nullopt, {"child", child_file, "pid-file", trainer_file, "hang"});
  runner.start(one);
  const pid_t trainer = pid_in(trainer_file), child = pid_in(child_file);
  // This process is a stranger to the attempt.
  show(9 * kGibibyte, Json::array({process(trainer, 2 * kGibibyte), process(child, kGibibyte),
                                   process(::getpid(), 5 * kGibibyte)}));
  look(runner);
  show(kGibibyte, Json::array({process(trainer, kGibibyte)}));
  look(runner);
  const MemoryUse use = end(runner, one.id);
  CHECK(use.peak == 3 * kGibibyte);
  CHECK_FALSE(use.had_company);
}

TEST_CASE_METHOD(GpuMemoryFixture,
                 "where process ids are hidden an attempt that is alone took what was not in use before") {
  show(kGibibyte / 2);
  LocalRunner runner(packing());
  const Attempt one = sized(1, std::nullopt);
  runner.start(one);
  show(3 * kGibibyte);
  look(runner);
  CHECK(end(runner, one.id).peak == 5 * kGibibyte / 2);
}

TEST_CASE_METHOD(GpuMemoryFixture, "what the driver does not tell is not guessed") {
  show(0);
  LocalRunner runner(packing());
  const std::string trainer_file = folder.path() / "trainer";
  const Attempt one = sized(1, std::nullopt, {"pid-file", trainer_file, "hang"});
  runner.start(one);
  show(3 * kGibibyte, Json::array({pid_in(trainer_file)}));  // the process, without its memory
  look(runner);
  CHECK_FALSE(end(runner, one.id).peak);
}

TEST_CASE_METHOD(GpuMemoryFixture, "a trial of unknown size shares its GPU with none") {
  show(0);
  LocalRunner runner(packing());
  CHECK(runner.has_room(std::nullopt));
  const Attempt one = sized(1, std::nullopt);
  runner.start(one);
  CHECK_FALSE(runner.has_room(kGibibyte));
  CHECK(runner.capacity().free == 0);
  end(runner, one.id);
  const Attempt small = sized(2, kGibibyte);
  runner.start(small);
  CHECK_FALSE(runner.has_room(std::nullopt));
  CHECK(runner.has_room(kGibibyte));
}

TEST_CASE_METHOD(GpuMemoryFixture,
                 "trials share a GPU where all of them fit when each has grown to what it may take") {
  show(0);
  LocalRunner runner(packing());
  const std::string trainer_file = folder.path() / "trainer";
  runner.start(sized(1, 6 * kGibibyte, {"pid-file", trainer_file, "hang"}));
  const pid_t trainer = pid_in(trainer_file);
  CHECK(runner.has_room(10 * kGibibyte));
  CHECK_FALSE(runner.has_room(10 * kGibibyte + 1));
  // It holds four of the six: two more are not free, though the driver says so.
  show(4 * kGibibyte, Json::array({process(trainer, 4 * kGibibyte)}));
  look(runner);
  CHECK(runner.has_room(10 * kGibibyte));
  CHECK_FALSE(runner.has_room(10 * kGibibyte + 1));
  CHECK_THROWS_AS(runner.start(sized(2, 11 * kGibibyte)), Error);
  const Attempt two = sized(3, 10 * kGibibyte);
  CHECK(runner.start(two).devices == std::vector<std::string>{"GPU-0"});
  CHECK_FALSE(runner.has_room(1));
  CHECK(end(runner, two.id).had_company);
  CHECK(end(runner, {1, 1}).had_company);
}

TEST_CASE_METHOD(GpuMemoryFixture, "a trial that takes more than was expected has more set aside for it") {
  show(0);
  LocalRunner runner(packing());
  const std::string trainer_file = folder.path() / "trainer";
  runner.start(sized(1, 4 * kGibibyte, {"pid-file", trainer_file, "hang"}));
  show(10 * kGibibyte, Json::array({process(pid_in(trainer_file), 10 * kGibibyte)}));
  look(runner);
  CHECK(runner.has_room(5 * kGibibyte));  // a tenth of ten is kept for it
  CHECK_FALSE(runner.has_room(5 * kGibibyte + 1));
}

TEST_CASE_METHOD(GpuMemoryFixture,
                 "two tune processes that share GPUs by memory see what the other has set aside") {
  show(0);
  LocalRunner one(packing()), two(packing());
  const Attempt first = sized(1, 6 * kGibibyte);
  one.start(first);
  CHECK(two.has_room(10 * kGibibyte));
  CHECK_FALSE(two.has_room(10 * kGibibyte + 1));
  CHECK_FALSE(two.has_room(std::nullopt));
  const Attempt second = sized(2, 10 * kGibibyte);
  two.start(second);
  CHECK_FALSE(one.has_room(1));
  look(one);  // sees that somebody has come
  CHECK(end(one, first.id).had_company);
  LocalRunnerOptions fixed = options(std::nullopt);
  fixed.resources.trials_per_gpu = 2;
  LocalRunner other(fixed);
  const Capacity capacity = other.capacity();
  CHECK(capacity.free == 0);
  REQUIRE_FALSE(capacity.notices.empty());
  CHECK_THAT(capacity.notices[0],
             Contains("another tune runs with trials_per_gpu auto on it, this one with 2"));
}
