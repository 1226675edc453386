// The loop over many seeds, with a runner that crashes, hangs, loses supervisors and reports late, and an
// orchestrator that dies now and then. What must hold is checked at each step.
#include <cmath>
#include <limits>

#include "tuner/engine/attempt/attempt_plan.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

struct Death {};  // the orchestrator dies here

constexpr int kTrials = 12;
constexpr int kSlots = 3;

// A function of the study's seed and the trial alone, as a deterministic trainer is; losses depend on the
// attempt too.
Behaviour chaos(std::uint64_t seed, const engine::Attempt& attempt) {
  Rng rng(seed, static_cast<std::uint64_t>(attempt.id.trial));
  Rng luck(seed, static_cast<std::uint64_t>(attempt.id.trial * 1000 + attempt.id.attempt));
  const double x = attempt.trial_json["parameters"]["x"].get<double>();
  Behaviour behaviour;
  const std::int64_t steps = 1 + static_cast<std::int64_t>(rng.below(6));
  for (std::int64_t step = 1; step <= steps; ++step) {
    double value = x + 1.0 / static_cast<double>(step);
    if (rng.below(10) == 0) value = std::numeric_limits<double>::quiet_NaN();
    if (rng.below(20) == 0) value = -std::numeric_limits<double>::infinity();
    behaviour.lines.push_back({Milliseconds(60 * step), "loss", value, step, false});
    if (rng.below(15) == 0) behaviour.lines.push_back({Milliseconds(60 * step), "loss", -100, step, true});
  }
  behaviour.lasts = Milliseconds(60 * steps + static_cast<std::int64_t>(rng.below(200)));
  switch (rng.below(8)) {
    case 0:
      behaviour.exit_code = 1;
      break;
    case 1:
      behaviour.signal = 9;
      break;
    case 2:
      behaviour.hangs = true;
      break;
    case 3:
      behaviour.lines.clear();
      break;
    default:
      break;
  }
  behaviour.ignores_term = rng.below(4) == 0;
  behaviour.without_report = luck.below(12) == 0;
  return behaviour;
}

struct Simulation {
  explicit Simulation(std::uint64_t given) : seed(given), f(spec(), given) {
    f.rule = std::make_unique<ScriptedRule>([this](const TrialView& trial, const History&) {
      Rng rng(seed, static_cast<std::uint64_t>(trial.number * 100 + trial.curve.back().step));
      if (rng.below(12) == 0) return strategies::Verdict{strategies::Action::kStop, "chance"};
      return strategies::Verdict{};
    });
  }

  static Spec spec() {
    Spec spec = small_spec(kTrials);
    spec.limits.parallel = kSlots;
    spec.limits.trial_time = Milliseconds(3000);
    return spec;
  }

  void check_step() {
    REQUIRE(f.runner->live() <= kSlots);
    REQUIRE(f.store.trial_count() <= kTrials);
    for (const auto& [number, row] : finished) {
      const auto now = f.store.trial(number);
      REQUIRE(now->state == row.state);
      REQUIRE(now->values == row.values);
      REQUIRE(now->attempts == row.attempts);
    }
    for (const store::TrialRow& row : f.store.trials()) {
      if (is_finished(row.state)) finished.emplace(row.number, row);
      for (const double value : row.values) REQUIRE(std::isfinite(value));
    }
  }

  // Runs to the end. The orchestrator dies `deaths` times on its way, `drains` times somebody interrupts it.
  engine::StudyResult run(int deaths, int drains) {
    Rng chance(seed, 77);
    while (true) {
      f.interruption.count = 0;
      f.use(kSlots, [this](const engine::Attempt& attempt) { return chaos(seed, attempt); });
      std::uint64_t steps = chance.below(60);
      f.runner->before_wait = [&] {
        check_step();
        if (steps-- != 0) return;
        if (deaths > 0) throw Death{};
        if (drains > 0) f.interruption.count = 1 + static_cast<int>(chance.below(2));
      };
      try {
        const auto result = f.run();
        if (result.outcome == engine::Outcome::kFinished) return result;
        REQUIRE(f.runner->live() == 0);
        --drains;
      } catch (const Death&) {
        --deaths;
        f.runner->orchestrator_dies([&](AttemptId) { return chance.below(3) != 0; });
      }
    }
  }

  void check_end(const engine::StudyResult& result) {
    const auto rows = f.store.trials();
    REQUIRE(rows.size() == kTrials);
    int completed = 0, stopped = 0, failed = 0;
    for (const store::TrialRow& row : rows) {
      REQUIRE(is_finished(row.state));
      REQUIRE_FALSE(row.reason.empty());
      REQUIRE((row.state == TrialState::kFailed) == !row.failure.empty());
      completed += row.state == TrialState::kCompleted;
      stopped += row.state == TrialState::kStopped;
      failed += row.state == TrialState::kFailed;
      for (const store::AttemptRow& attempt : f.store.attempts(row.number)) {
        REQUIRE(
            (attempt.state == store::AttemptState::kExited || attempt.state == store::AttemptState::kLost));
      }
    }
    REQUIRE(result.completed == completed);
    REQUIRE(result.stopped == stopped);
    REQUIRE(result.failed == failed);
    std::int64_t last = 0;
    for (const store::EventRow& event : f.store.events(0, 100'000)) REQUIRE(event.id == ++last);
    const History history = f.store.load_history();
    const TrialView* best = history.best();
    REQUIRE((best == nullptr) == !result.best_trial);
    if (best != nullptr) REQUIRE(best->number == *result.best_trial);
  }

  std::uint64_t seed;
  LoopFixture f;
  std::map<int, store::TrialRow> finished;
};

TEST_CASE("whatever trainers do, every trial ends once and the counts agree") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    Simulation simulation(seed);
    simulation.check_end(simulation.run(0, 0));
  }
}

TEST_CASE("an orchestrator that dies and is interrupted ends with every trial ended once") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    Simulation simulation(seed);
    simulation.check_end(simulation.run(static_cast<int>(seed % 4), static_cast<int>(seed % 3)));
  }
}

TEST_CASE("the same seed gives the same study") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    Simulation one(seed), two(seed);
    one.run(0, 0);
    two.run(0, 0);
    const auto a = one.f.store.trials(), b = two.f.store.trials();
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(a[i].parameters == b[i].parameters);
      CHECK(a[i].state == b[i].state);
      CHECK(a[i].values == b[i].values);
      CHECK(a[i].reason == b[i].reason);
    }
  }
}

}  // namespace
}  // namespace tune::tests
