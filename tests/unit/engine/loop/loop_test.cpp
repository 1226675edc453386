#include <limits>
#include <mutex>

#include "tuner/engine/attempt/attempt_plan.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using engine::Outcome;
using engine::StatusKind;

double x_of(const engine::Attempt& attempt) { return attempt.trial_json["parameters"]["x"].get<double>(); }

TEST_CASE("the loop runs as many trials as the limit says and names the best") {
  LoopFixture f(small_spec(6));
  f.use(2, [](const engine::Attempt& attempt) { return prints(x_of(attempt)); });
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(result.reason == "trial limit");
  CHECK(result.completed == 6);
  const auto rows = f.store.trials();
  REQUIRE(rows.size() == 6);
  double best = 2;
  int number = 0;
  for (const auto& row : rows) {
    CHECK(row.state == TrialState::kCompleted);
    REQUIRE(row.values.size() == 1);
    CHECK(row.values[0] == row.parameters.at("x").get<double>());
    if (row.values[0] < best) best = row.values[0], number = row.number;
  }
  CHECK(result.best_trial == number);
  CHECK(f.store.study().state == store::StudyState::kFinished);
  CHECK(f.store.load_history().best()->number == number);
}

TEST_CASE("how many run at once is said as a number where it is one") {
  for (const bool packs : {false, true})
    for (const bool is_limited : {false, true}) {
      LoopFixture f(small_spec(3));
      f.spec.resources.packs_gpus = packs;
      if (!is_limited) f.spec.limits.parallel.reset();
      f.use(16, [](const engine::Attempt&) { return prints(1); });
      f.run();
      REQUIRE_FALSE(f.status.events.empty());
      CHECK(f.status.events.front().message == (is_limited ? "3 trials, 2 at once"
                                                : packs    ? "3 trials, as many at once as fit"
                                                           : "3 trials, 16 at once"));
    }
}

TEST_CASE("a trial's row is in the store before its process starts") {
  LoopFixture f(small_spec(3));
  f.use(2, [](const engine::Attempt&) { return prints(1); });
  f.runner->on_start = [&](const engine::Attempt& attempt) {
    const auto row = f.store.trial(attempt.id.trial);
    REQUIRE(row.has_value());
    CHECK(row->parameters.at("x") == attempt.trial_json["parameters"]["x"]);
    const auto attempts = f.store.attempts(attempt.id.trial);
    REQUIRE(attempts.size() == 1);
    CHECK(attempts[0].state == store::AttemptState::kStarting);
    CHECK(attempts[0].token == attempt.token);
  };
  f.run();
  CHECK(f.runner->started.size() == 3);
  CHECK(f.store.attempts(1).at(0).supervisor_pid == 1001);
}

TEST_CASE("a suggestion takes in every trial that has ended before it was asked for") {
  LoopFixture f(small_spec(8));
  f.spec.limits.parallel = 1;
  std::vector<std::size_t> seen;
  f.strategy = std::make_unique<ScriptedStrategy>([&](const History& history, Rng& rng) {
    std::size_t finished = 0;
    for (const auto& trial : history.trials) finished += is_finished(trial->state) && !trial->values.empty();
    seen.push_back(finished);
    const std::vector<double> unit = {rng.uniform(), rng.uniform()};
    return strategies::Suggestion{f.spec.space.from_unit(unit), 1, std::nullopt, ""};
  });
  f.use(1, [](const engine::Attempt& attempt) { return prints(x_of(attempt)); });
  f.run();
  CHECK(seen == std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("a stop rule's loser is stopped with its reason and keeps its value") {
  LoopFixture f(small_spec(2));
  f.rule = std::make_unique<ScriptedRule>([](const TrialView& trial, const History&) {
    if (trial.number == 2 && trial.curve.back().step >= 2)
      return strategies::Verdict{strategies::Action::kStop, "worse than most", "at step 2: 0.5"};
    return strategies::Verdict{};
  });
  f.use(2, [](const engine::Attempt&) {
    Behaviour behaviour;
    behaviour.lasts = Milliseconds(2000);
    for (int step = 1; step <= 5; ++step)
      behaviour.lines.push_back({Milliseconds(200 * step), "loss", 1.0 / step, step, false});
    return behaviour;
  });
  const auto result = f.run();
  CHECK(result.completed == 1);
  CHECK(result.stopped == 1);
  const auto row = f.store.trial(2);
  CHECK(row->state == TrialState::kStopped);
  CHECK(row->reason == "worse than most");
  CHECK(row->values == std::vector<double>{0.5});
  CHECK(result.best_trial == 1);
  for (const engine::StatusEvent& event : f.status.events) {
    if (event.kind != engine::StatusKind::kTrialFinished) continue;
    CHECK(event.brief == (event.trial == 2 ? "at step 2: 0.5" : ""));
  }
}

TEST_CASE("the display is told in few words what was suggested, and what was chosen for that") {
  LoopFixture f(small_spec(1));
  f.strategy = std::make_unique<ScriptedStrategy>([&](const History&, Rng&) {
    strategies::Suggestion suggestion{{{"x", 0.5}, {"y", 0.0}}, 1, std::nullopt, "auto takes tpe, since ..."};
    suggestion.brief = "predicted 0.25";
    suggestion.choice = "auto takes tpe";
    suggestion.choice_reason = "the space is wide";
    return suggestion;
  });
  f.use(1, [](const engine::Attempt&) { return prints(0.5); });
  f.run();
  REQUIRE(f.status.count(engine::StatusKind::kTrialQueued) == 1);
  for (const engine::StatusEvent& event : f.status.events) {
    if (event.kind != engine::StatusKind::kTrialQueued) continue;
    CHECK(event.brief == "predicted 0.25");
    CHECK(event.choice == "auto takes tpe");
    CHECK(event.choice_reason == "the space is wide");
    CHECK(event.message == "auto takes tpe, since ...");
  }
}

TEST_CASE("failures are data: each has its class and its reason") {
  LoopFixture f(small_spec(6));
  f.use(2, [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(0.5);
    if (attempt.id.trial == 2) behaviour.exit_code = 3;
    if (attempt.id.trial == 3) behaviour.signal = 11;
    if (attempt.id.trial == 4) behaviour.lines.clear();
    if (attempt.id.trial == 5) behaviour.lines[0].value = std::numeric_limits<double>::quiet_NaN();
    if (attempt.id.trial == 6) behaviour.lines[0].value = -std::numeric_limits<double>::infinity();
    return behaviour;
  });
  const auto result = f.run();
  CHECK(result.failed == 5);
  CHECK(result.best_trial == 1);
  CHECK(f.store.trial(2)->failure == "crash");
  CHECK(f.store.trial(2)->reason == "exit code 3");
  CHECK(f.store.trial(3)->reason == "signal 11 (Segmentation fault)");
  CHECK(f.store.trial(4)->failure == "no_metric");
  CHECK(f.store.trial(5)->failure == "non_finite");
  CHECK(f.store.trial(6)->failure == "non_finite");
  CHECK(f.store.trial(6)->values.empty());
}

TEST_CASE("lines of another attempt's token are dropped and said") {
  LoopFixture f(small_spec(1));
  f.use(1, [](const engine::Attempt&) {
    Behaviour behaviour = prints(0.5);
    behaviour.lines.push_back({Milliseconds(20), "loss", 0.001, 2, true});
    return behaviour;
  });
  f.run();
  CHECK(f.store.trial(1)->values == std::vector<double>{0.5});
  bool said = false;
  for (const auto& event : f.status.events)
    said = said || event.message.find("were dropped") != std::string::npos;
  CHECK(said);
}

TEST_CASE("the time limit stops what runs, and values are kept") {
  Spec spec = small_spec(50);
  spec.limits.time = Milliseconds(5000);
  LoopFixture f(spec);
  f.use(2, [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(x_of(attempt));
    behaviour.hangs = true;
    behaviour.ignores_term = attempt.id.trial == 2;
    return behaviour;
  });
  const auto result = f.run();
  CHECK(result.reason == "time limit");
  CHECK(result.stopped == 2);
  CHECK(f.store.trial(1)->reason == "time limit");
  CHECK(f.store.trial(1)->values.size() == 1);
  CHECK(f.store.study().elapsed_seconds >= 5);
}

TEST_CASE("time spent before an interruption counts towards the limit") {
  Spec spec = small_spec(50);
  spec.limits.time = Milliseconds(5000);
  LoopFixture f(spec);
  auto row = f.store.study();
  row.elapsed_seconds = 4.9;
  f.store.update_study(row);
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  CHECK(f.run().reason == "time limit");
  CHECK(f.store.trial_count() <= 2);
}

TEST_CASE("a trial that outlives its own time counts with what it had reached, or fails, as the spec says") {
  Spec spec = small_spec(1);
  spec.limits.trial_time = Milliseconds(1000);
  const bool fails = GENERATE(false, true);
  if (fails) spec.limits.on_trial_time = OnTrialTime::kFail;
  LoopFixture f(spec);
  f.use(1, [](const engine::Attempt&) {
    Behaviour behaviour = prints(1);
    behaviour.hangs = true;
    return behaviour;
  });
  f.run();
  CHECK(f.store.trial(1)->state == (fails ? TrialState::kFailed : TrialState::kCompleted));
  CHECK(f.store.trial(1)->failure == (fails ? "timeout" : ""));
  CHECK(f.store.trial(1)->cut == (fails ? "" : "trial_time"));
  CHECK(f.store.trial(1)->values == (fails ? std::vector<double>{} : std::vector<double>{1}));
}

TEST_CASE(
    "a first interruption drains and requeues, and the next run ends the study as if nothing had been") {
  LoopFixture f(small_spec(6));
  const auto script = [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(x_of(attempt));
    behaviour.lasts = Milliseconds(1000);
    return behaviour;
  };
  f.use(2, script);
  f.runner->before_wait = [&] {
    if (f.store.trial_count() == 4) f.interruption.count = 1;
  };
  auto result = f.run();
  CHECK(result.outcome == Outcome::kInterrupted);
  CHECK(f.store.study().state == store::StudyState::kInterrupted);
  CHECK(f.runner->live() == 0);
  CHECK(f.store.trial(4)->state == TrialState::kQueued);
  f.interruption.count = 0;
  f.use(2, script);
  result = f.run();
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(result.completed == 6);
  CHECK(f.store.trial(4)->attempts == 2);
}

TEST_CASE("a second interruption kills what ignores the first") {
  LoopFixture f(small_spec(6));
  f.use(1, [](const engine::Attempt&) {
    Behaviour behaviour;
    behaviour.hangs = behaviour.ignores_term = true;
    return behaviour;
  });
  f.runner->before_wait = [&] {
    f.interruption.count = f.runner->live() == 1 ? f.interruption.count + 1 : 0;
  };
  const SteadyTime before = f.clock.steady_now();
  CHECK(f.run().outcome == Outcome::kInterrupted);
  CHECK(f.clock.steady_now() - before < std::chrono::seconds(5));
  CHECK(f.store.trial(1)->state == TrialState::kQueued);
}

TEST_CASE("a strategy that throws is replaced by a random point, and that is said") {
  LoopFixture f(small_spec(3));
  f.strategy = std::make_unique<ScriptedStrategy>(
      [](const History&, Rng&) -> strategies::Answer { throw std::runtime_error("singular matrix"); });
  f.use(1, [](const engine::Attempt& attempt) { return prints(x_of(attempt)); });
  CHECK(f.run().completed == 3);
  std::size_t said = 0;
  for (const auto& event : f.store.events()) {
    said += event.kind == "notice" &&
            event.data["message"].get<std::string>().find("singular matrix") != std::string::npos;
  }
  CHECK(said == 3);
  CHECK_FALSE(f.spec.space.objection(f.store.trial(1)->parameters).has_value());
}

TEST_CASE("a strategy that answers outside the space is replaced by a random point") {
  LoopFixture f(small_spec(1));
  f.strategy = std::make_unique<ScriptedStrategy>([](const History&, Rng&) -> strategies::Answer {
    return strategies::Suggestion{{{"x", 7.0}, {"y", 0.0}}, 1, std::nullopt, ""};
  });
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  f.run();
  CHECK_FALSE(f.spec.space.objection(f.store.trial(1)->parameters).has_value());
}

TEST_CASE("an exhausted strategy ends the study, and one that waits is asked again when a trial ends") {
  LoopFixture f(small_spec(50));
  f.strategy =
      std::make_unique<ScriptedStrategy>([&](const History& history, Rng& rng) -> strategies::Answer {
        if (history.trials.size() == 4) return strategies::Exhausted{};
        for (const auto& trial : history.trials) {
          if (!is_finished(trial->state)) return strategies::Wait{};
        }
        const std::vector<double> unit = {rng.uniform(), rng.uniform()};
        return strategies::Suggestion{f.spec.space.from_unit(unit), 1, std::nullopt, ""};
      });
  f.use(2, [](const engine::Attempt&) { return prints(1); });
  const auto result = f.run();
  CHECK(result.reason == "space exhausted");
  CHECK(result.completed == 4);
  const auto said = std::count_if(f.status.events.begin(), f.status.events.end(), [](const auto& event) {
    return event.message == "no point is left to try, so the study ends with 4 of 50 trials";
  });
  CHECK(said == 1);
}

TEST_CASE("a slow suggestion delays no event") {
  LoopFixture f(small_spec(2));
  std::mutex fitting;
  fitting.lock();
  f.strategy =
      std::make_unique<ScriptedStrategy>([&](const History& history, Rng& rng) -> strategies::Answer {
        if (history.trials.size() == 1) std::lock_guard wait(fitting);
        const std::vector<double> unit = {rng.uniform(), rng.uniform()};
        return strategies::Suggestion{f.spec.space.from_unit(unit), 1, std::nullopt, ""};
      });
  f.use(2, [](const engine::Attempt&) { return prints(1); });
  bool released = false;
  f.status.hook = [&](const engine::StatusEvent& event) {
    // Only the end of trial 1 lets the fit go on: a loop that waited for the fit would never see it.
    if (event.kind == StatusKind::kTrialFinished && event.trial == 1) fitting.unlock(), released = true;
  };
  engine::StudyLoop loop({f.spec, f.folder.path(), f.store, *f.strategy, *f.rule, *f.runner, f.clock,
                          f.status, f.interruption, Milliseconds(1)});
  CHECK(loop.run().completed == 2);
  CHECK(released);
}

TEST_CASE("a slot that went to another process requeues the trial and asks again later") {
  LoopFixture f(small_spec(2));
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  int refusals = 3;
  f.runner->on_start = [&](const engine::Attempt&) {
    if (refusals-- > 0) throw Error(ExitCode::kConflict, "GPU 0 is taken");
  };
  CHECK(f.run().completed == 2);
  CHECK(f.store.trial(1)->attempts == 4);
}

}  // namespace
}  // namespace tune::tests
