#pragma once
// A study in memory, a manual clock and a fake runner, for tests of the loop.
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/fake_runner.h"
#include "tuner/core/rng.h"
#include "tuner/engine/loop/study_loop.h"

namespace tune::tests {

class RecordingStatus final : public engine::Status {
 public:
  void on_event(const engine::StatusEvent& event) override {
    events.push_back(event);
    if (hook) hook(event);
  }
  std::size_t count(engine::StatusKind kind) const {
    std::size_t n = 0;
    for (const auto& event : events) n += event.kind == kind;
    return n;
  }
  std::vector<engine::StatusEvent> events;
  std::function<void(const engine::StatusEvent&)> hook;
};

// Thrown by a hook of the loop: the process is gone from one moment to the next.
struct OrchestratorGone {};

// Answers what the test's function says.
class ScriptedStrategy final : public strategies::Strategy {
 public:
  using Function = std::function<strategies::Answer(const History&, Rng&)>;
  explicit ScriptedStrategy(Function function) : function_(std::move(function)) {}
  strategies::Answer suggest(const History& history, Rng& rng) override { return function_(history, rng); }

 private:
  Function function_;
};

class ScriptedRule final : public strategies::StopRule {
 public:
  using Function = std::function<strategies::Verdict(const TrialView&, const History&)>;
  explicit ScriptedRule(Function function = {}) : function_(std::move(function)) {}
  strategies::Verdict judge(const TrialView& trial, const History& history) override {
    return function_ ? function_(trial, history) : strategies::Verdict{};
  }

 private:
  Function function_;
};

// A folder that is gone when the test is over.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tune-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Parameter float_parameter(const std::string& name, double min, double max) {
  Parameter parameter;
  parameter.name = name;
  parameter.min = min;
  parameter.max = max;
  return parameter;
}

inline Spec small_spec(int trials = 6) {
  Spec spec;
  spec.study = "small";
  spec.objective = {"loss", Goal::kMinimize, Reduce::kBest};
  spec.space = SearchSpace({float_parameter("x", 0, 1), float_parameter("y", -1, 1)});
  spec.command = {"train", "--x={{x}}", "--y={{y}}"};
  spec.metrics = {{"loss", "loss=([0-9.]+)", std::nullopt}};
  spec.limits.trials = trials;
  spec.limits.parallel = 2;
  spec.document = Json{{"study", "small"}};
  spec.folder = "/";
  return spec;
}

struct LoopFixture {
  enum class Place { kMemory, kDisk };
  explicit LoopFixture(Spec given, std::uint64_t seed = 7, Place place = Place::kMemory)
      : spec(std::move(given)),
        store(place == Place::kMemory ? ":memory:" : file(), store::OpenMode::kCreate,
              {Durability::kProcess, Milliseconds(1)}) {
    store::StudyRow row;
    row.name = spec.study;
    row.spec = spec.document;
    row.folder = "/";
    row.seed = seed;
    row.objective = spec.objective;
    row.state = store::StudyState::kRunning;
    row.created = row.updated = clock.wall_now();
    store.create_study(row);
  }

  engine::StudyResult run() {
    engine::StudyLoop loop(
        {spec, folder.path(), store, *strategy, *rule, *runner, clock, status, interruption, patience});
    return loop.run();
  }
  std::filesystem::path file() const { return folder.path() / "study.db"; }  // of a store on the disk
  void use(int slots, FakeRunner::Script script) {
    runner = std::make_unique<FakeRunner>(clock, slots, std::move(script));
  }

  Spec spec;
  Milliseconds patience = std::chrono::minutes(2);  // with the strategy, in real time
  ScratchFolder folder;
  ManualClock clock;
  store::StudyStore store;
  RecordingStatus status;
  engine::Interruption interruption;
  std::unique_ptr<strategies::Strategy> strategy =
      std::make_unique<ScriptedStrategy>([this](const History&, Rng& rng) {
        const std::vector<double> unit = {rng.uniform(), rng.uniform()};
        return strategies::Suggestion{spec.space.from_unit(unit), 1, std::nullopt, "drawn"};
      });
  std::unique_ptr<strategies::StopRule> rule = std::make_unique<ScriptedRule>();
  std::unique_ptr<FakeRunner> runner;
};

// One line at once, then exit 0.
inline Behaviour prints(double value) {
  Behaviour behaviour;
  behaviour.lines = {{Milliseconds(10), "loss", value, 1, false}};
  return behaviour;
}

}  // namespace tune::tests
