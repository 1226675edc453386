// How far one study scales: thousands of trials at once, on a clock that is turned by hand. The runner starts
// no process; all else is the real thing: the loop, the strategy, the database on the disk, the files of each
// attempt.
//
//   scale TRIALS PARALLEL STRATEGY FOLDER       prints a line of JSON
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "strategies/strategy.h"
#include "tuner/core/error.h"
#include "tuner/core/exit_record.h"
#include "tuner/core/rng.h"
#include "tuner/engine/loop/study_loop.h"

namespace tune::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kLines = 5;                  // metrics of a trial
constexpr Milliseconds kLasts{3'600'000};  // on average: an hour

// What is to happen to an attempt, by the time of the manual clock.
struct Due {
  SteadyTime when;
  AttemptId id;
  int line = 0;  // kLines: its end
  bool operator>(const Due& other) const { return when > other.when; }
};

class SimulatedRunner final : public engine::TrialRunner {
 public:
  SimulatedRunner(ManualClock& clock, int slots) : clock_(clock), slots_(slots) {}

  engine::AttemptRecord start(const engine::Attempt& attempt) override {
    Rng rng(7, static_cast<std::uint64_t>(attempt.id.trial));
    const Milliseconds lasts =
        kLasts / 2 +
        Milliseconds(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(kLasts.count()))));
    Live live{attempt.folder, attempt.token, lasts, attempt.trial_json["parameters"]["x"].get<double>()};
    live_.emplace(attempt.id, std::move(live));
    peak_ = std::max(peak_, live_.size());
    add(attempt.id, 0);
    return {attempt.id, attempt.token, attempt.folder, 0, 0, "none", {}, 1, {}, {}};
  }
  bool attach(const engine::AttemptRecord&) override { return false; }
  engine::Capacity capacity() override {
    const int taken = static_cast<int>(live_.size());
    return {slots_ - taken, slots_, {}, {}};
  }
  std::vector<std::string> lost_devices(const std::vector<std::string>&) override { return {}; }
  engine::RunnerEvent wait(SteadyTime deadline) override {
    if (woken_.exchange(false)) return {engine::RunnerEventKind::kWoken, {}};
    // The loop looks at its clock four times a second; nothing else is to be seen of the time in between.
    if (due_.empty() || due_.top().when > clock_.steady_now() + std::chrono::hours(1)) {
      turn_to(deadline);
      return {engine::RunnerEventKind::kDeadline, {}};
    }
    const Due next = due_.top();
    due_.pop();
    turn_to(next.when);
    ++events_;
    Live& live = live_.at(next.id);
    if (next.line < kLines) {
      std::ofstream(live.folder / "metrics.jsonl", std::ios::app)
          << Json{{"token", live.token},
                  {"name", "loss"},
                  {"value", live.x + 1.0 / (1 + next.line)},
                  {"step", next.line + 1},
                  {"time_ms", clock_.wall_now().time_since_epoch().count()}}
                 .dump()
          << '\n';
      add(next.id, next.line + 1);
      return {engine::RunnerEventKind::kProgress, next.id};
    }
    ExitRecord record;
    record.token = live.token;
    record.exit_code = 0;
    record.wall_seconds = std::chrono::duration<double>(live.lasts).count();
    std::ofstream(live.folder / "exit.json") << exit_json(record).dump() << '\n';
    live_.erase(next.id);
    return {engine::RunnerEventKind::kExited, next.id};
  }
  void stop(AttemptId, Milliseconds, StopReason) override {}
  void wake() override { woken_ = true; }

  std::size_t peak() const { return peak_; }
  std::int64_t events() const { return events_; }

 private:
  struct Live {
    fs::path folder;
    std::string token;
    Milliseconds lasts;
    double x = 0;
  };
  void add(AttemptId id, int line) {
    due_.push({clock_.steady_now() + live_.at(id).lasts / (kLines + 1), id, line});
  }
  void turn_to(SteadyTime when) {
    if (when > clock_.steady_now())
      clock_.advance(std::chrono::ceil<Milliseconds>(when - clock_.steady_now()));
  }

  ManualClock& clock_;
  const int slots_;
  std::map<AttemptId, Live> live_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::atomic<bool> woken_{false};
  std::size_t peak_ = 0;
  std::int64_t events_ = 0;
};

class Silent final : public engine::Status {
 public:
  void on_event(const engine::StatusEvent&) override {}
};

class GoOn final : public strategies::StopRule {
 public:
  strategies::Verdict judge(const TrialView&, const History&) override { return {}; }
};

Parameter parameter(const std::string& name) {
  Parameter made;
  made.name = name;
  made.min = 0;
  made.max = 1;
  return made;
}

double peak_memory_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int run(int trials, int parallel, const std::string& strategy, const fs::path& folder) {
  Spec spec;
  spec.study = "scale";
  spec.objective = {"loss", Goal::kMinimize, Reduce::kBest};
  spec.space = SearchSpace({parameter("x"), parameter("y"), parameter("z")});
  spec.command = {"train", "--x={{x}}", "--y={{y}}", "--z={{z}}"};
  spec.metrics = {{"loss", "loss=([0-9.]+)", std::nullopt}};
  spec.limits.trials = trials;
  spec.limits.parallel = parallel;
  spec.strategy.name = strategy;
  spec.document = Json{{"study", "scale"}};
  spec.folder = "/";
  ManualClock clock;
  fs::create_directories(folder);
  store::StudyStore store(folder / "study.db", store::OpenMode::kCreate);
  store::StudyRow row;
  row.name = spec.study;
  row.spec = spec.document;
  row.folder = "/";
  row.seed = 7;
  row.objective = spec.objective;
  row.state = store::StudyState::kRunning;
  row.created = row.updated = clock.wall_now();
  store.create_study(row);
  const auto chooser = strategies::make_strategy(spec.strategy, spec.space, spec.objective, row.seed);
  SimulatedRunner runner(clock, parallel);
  GoOn rule;
  Silent status;
  engine::Interruption interruption;
  engine::StudyLoop::Parts parts{spec, folder, store, *chooser, rule, runner, clock, status, interruption};
  parts.patience = std::chrono::hours(1);
  const double before = peak_memory_mib();
  const auto began = std::chrono::steady_clock::now();
  engine::StudyLoop loop(parts);
  const engine::StudyResult result = loop.run();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const double user =
      static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
  const double system =
      static_cast<double>(usage.ru_stime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_stime.tv_usec);
  const Json line = {{"trials", trials},
                     {"parallel", parallel},
                     {"strategy", strategy},
                     {"completed", result.completed},
                     {"at_once", runner.peak()},
                     {"seconds", seconds},
                     {"processor_seconds", user + system},
                     {"system_seconds", system},
                     {"events", runner.events()},
                     {"memory_mib", peak_memory_mib()},
                     {"memory_before_mib", before}};
  std::printf("%s\n", line.dump().c_str());
  return result.completed == trials ? 0 : 1;
}

}  // namespace
}  // namespace tune::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: scale TRIALS PARALLEL STRATEGY FOLDER\n");
    return 2;
  }
  try {
    return tune::bench::run(std::atoi(argv[1]), std::atoi(argv[2]), argv[3], argv[4]);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
  }
}
