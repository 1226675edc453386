// The loop when the set-up or the machine is at fault: it pauses, spends no trial, and goes on.
#include <algorithm>
#include <cerrno>
#include <fstream>

#include "tuner/engine/attempt/attempt_log.h"
#include "tuner/engine/loop/alive_file.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using Catch::Matchers::Contains;
using engine::Fault;
using engine::Outcome;

Behaviour does_not_start(int reason) {
  Behaviour behaviour;
  behaviour.start_error = reason;
  behaviour.lasts = Milliseconds(1);
  behaviour.exit_code = 127;
  return behaviour;
}

Behaviour crashes(const std::string& log = "No module named 'torch'\n") {
  Behaviour behaviour;
  behaviour.exit_code = 1;
  behaviour.lasts = Milliseconds(5);
  behaviour.log = log;
  return behaviour;
}

int count(const store::StudyStore& store, TrialState state) {
  const auto trials = store.trials();
  return static_cast<int>(
      std::count_if(trials.begin(), trials.end(), [&](const auto& trial) { return trial.state == state; }));
}

TEST_CASE("a program that cannot be started pauses the study at once, and costs no trial") {
  LoopFixture f(small_spec(6));
  f.spec.limits.parallel = 1;
  bool is_mended = false;
  const auto script = [&](const engine::Attempt& attempt) {
    return attempt.id.trial >= 3 && !is_mended ? does_not_start(ENOENT) : prints(1);
  };
  f.use(1, script);
  auto result = f.run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK(result.reason == "cannot start \"train\"");
  REQUIRE(result.pause);
  CHECK_FALSE(result.pause->hint.empty());
  CHECK(result.pause->trial == 0);
  CHECK(f.store.study().state == store::StudyState::kInterrupted);
  CHECK(f.store.study().finish_reason == "paused: cannot start \"train\"");
  CHECK(count(f.store, TrialState::kFailed) == 0);
  CHECK(f.store.trial(3)->state == TrialState::kQueued);
  CHECK(f.store.trial_count() == 3);
  CHECK(f.store.attempts(3).at(0).state == store::AttemptState::kExited);
  CHECK_THAT(f.store.attempts(3).at(0).reason, Contains("not started"));
  CHECK_FALSE(f.store.attempts(3).at(0).exit_code.has_value());
  is_mended = true;
  f.use(1, script);
  result = f.run();
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(result.completed == 6);
}

TEST_CASE("trials that run when a program cannot be started go on to their end") {
  LoopFixture f(small_spec(6));
  f.use(2, [&](const engine::Attempt& attempt) {
    if (attempt.id.trial != 1) return does_not_start(EACCES);
    Behaviour behaviour = prints(1);
    behaviour.lasts = std::chrono::minutes(30);
    return behaviour;
  });
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK(result.completed == 1);
  CHECK(f.store.trial_count() == 2);
  CHECK(f.runner->started.size() == 2);
}

TEST_CASE("what the machine lacks for a moment is tried again, and waits longer each time") {
  LoopFixture f(small_spec(2));
  f.spec.limits.parallel = 1;
  const bool by_supervisor = GENERATE(true, false);
  int refusals = 5;
  std::vector<SteadyTime> tries;
  f.use(1, [&](const engine::Attempt&) {
    return by_supervisor && refusals-- > 0 ? does_not_start(EAGAIN) : prints(1);
  });
  f.runner->on_start = [&](const engine::Attempt&) {
    tries.push_back(f.clock.steady_now());
    if (!by_supervisor && refusals-- > 0) throw LackOfResources("cannot fork", "raise the limit");
  };
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(result.completed == 2);
  CHECK(f.store.trial(1)->attempts == 6);
  REQUIRE(tries.size() == 7);
  for (std::size_t i = 2; i < 6; ++i) CHECK(tries[i] - tries[i - 1] > (tries[i - 1] - tries[i - 2]) * 3 / 2);
}

TEST_CASE("what the machine lacks for minutes pauses the study, and its strategy learns nothing") {
  LoopFixture f(small_spec(4));
  f.use(1, [](const engine::Attempt&) { return does_not_start(ENOMEM); });
  const SteadyTime begin = f.clock.steady_now();
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK(f.clock.steady_now() - begin > std::chrono::minutes(1));
  CHECK(f.clock.steady_now() - begin < std::chrono::minutes(5));
  CHECK(f.store.trial_count() == 1);
  CHECK(f.store.load_history().trials[0]->state == TrialState::kQueued);
}

TEST_CASE("a machine that can start nothing pauses the study with its error") {
  LoopFixture f(small_spec(2));
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  f.runner->on_start = [](const engine::Attempt&) {
    throw Error(ExitCode::kEnvironment, "no supervisor", "install it");
  };
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK(result.reason == "no supervisor");
  CHECK(result.pause->hint == "install it");
  CHECK(f.store.trial(1)->state == TrialState::kQueued);
}

TEST_CASE("a trial that fails because its folder has gone is not the trial's failure") {
  LoopFixture f(small_spec(4));
  f.spec.limits.parallel = 1;
  f.use(1, [](const engine::Attempt& attempt) { return attempt.id.trial == 2 ? crashes() : prints(1); });
  engine::StudyLoop::Parts parts{f.spec,    f.folder.path(), f.store,  *f.strategy,    *f.rule,
                                 *f.runner, f.clock,         f.status, f.interruption, f.patience};
  parts.set_up_fault = [&]() -> std::optional<Fault> {
    if (f.store.trial_count() < 2) return std::nullopt;
    return Fault{Fault::Kind::kSetUp, "the folder is gone", "put it back"};
  };
  const auto result = engine::StudyLoop(parts).run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK(result.reason == "the folder is gone");
  CHECK(result.failed == 0);
  CHECK(f.store.trial(2)->state == TrialState::kQueued);
  CHECK_THAT(f.store.attempts(2).at(0).reason, Contains("the folder is gone") && Contains("exit code 1"));
}

TEST_CASE("a trial whose GPU has gone runs again on another one") {
  LoopFixture f(small_spec(3));
  f.spec.limits.parallel = 1;
  f.use(1, [&](const engine::Attempt& attempt) {
    f.runner->lost =
        attempt.id == AttemptId{2, 1} ? std::vector<std::string>{"GPU-1"} : std::vector<std::string>{};
    return attempt.id == AttemptId{2, 1} ? crashes("CUDA error: unspecified launch failure\n") : prints(1);
  });
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(result.completed == 3);
  CHECK(f.store.trial(2)->attempts == 2);
}

TEST_CASE("a driver that is gone is waited for a while, then the study pauses") {
  LoopFixture f(small_spec(3));
  f.use(1, [&](const engine::Attempt&) { return prints(1); });
  f.runner->problem = "the driver shows no GPU";
  const SteadyTime begin = f.clock.steady_now();
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK(result.reason == "the driver shows no GPU");
  CHECK(f.clock.steady_now() - begin > std::chrono::seconds(10));
  CHECK(f.store.trial_count() == 0);
  f.use(1, [&](const engine::Attempt&) { return prints(1); });
  CHECK(f.run().completed == 3);
}

TEST_CASE("a set-up that breaks after trials have worked costs a few trials, not the study") {
  LoopFixture f(small_spec(200));
  bool is_broken = true;
  const auto script = [&](const engine::Attempt& attempt) {
    return is_broken && attempt.id.trial > 40 ? crashes("epoch 1\nNo module named 'torch'\n") : prints(1);
  };
  f.use(2, script);
  auto result = f.run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK(result.completed == 40);
  CHECK(result.failed <= 7);
  CHECK_THAT(result.reason, Contains("failed at once in the same way: exit code 1: No module named 'torch'"));
  REQUIRE(result.pause);
  CHECK(result.pause->log_end == std::vector<std::string>{"epoch 1", "No module named 'torch'"});
  CHECK(result.pause->trial > 40);
  CHECK_THAT(result.pause->hint, Contains("--retry-failed"));
  // It counts anew: a person who goes on without a cure is stopped again.
  f.use(2, script);
  CHECK(f.run().outcome == Outcome::kPaused);
  CHECK(count(f.store, TrialState::kFailed) <= 14);
  is_broken = false;
  f.use(2, script);
  result = f.run();
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(count(f.store, TrialState::kFailed) <= 14);
}

TEST_CASE("a study with nothing left to do ends, even when its last trials failed at once") {
  LoopFixture f(small_spec(5));
  f.use(2, [](const engine::Attempt&) { return crashes(); });
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(result.reason == "trial limit");
  CHECK(result.failed == 5);
}

TEST_CASE("after a round without any metric the trials of the next one are stopped too, and run again") {
  LoopFixture f(small_spec(50));
  f.spec.limits.parallel = 4;
  bool is_mended = false;
  const auto script = [&](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(1);
    if (!is_mended) behaviour.lines.clear();
    behaviour.lasts = std::chrono::hours(2) + std::chrono::minutes(attempt.id.trial);
    return behaviour;
  };
  f.use(4, script);
  const SteadyTime begin = f.clock.steady_now();
  auto result = f.run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK_THAT(result.reason, Contains("without any metric") && Contains("no line of its output gave"));
  CHECK(result.failed == 4);
  CHECK(f.store.trial_count() == 7);
  CHECK(count(f.store, TrialState::kQueued) == 3);
  CHECK(f.clock.steady_now() - begin < std::chrono::hours(3));
  is_mended = true;
  f.use(4, script);
  result = f.run();
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(result.completed == 46);
}

TEST_CASE("an objective whose regex finds nothing costs a round, though another metric is read") {
  LoopFixture f(small_spec(50));
  f.spec.limits.parallel = 1;
  f.use(1, [](const engine::Attempt&) {
    Behaviour behaviour;
    behaviour.lines.push_back({Milliseconds(5), "train:loss", 0.5});
    behaviour.lasts = std::chrono::hours(2);
    return behaviour;
  });
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK(result.failed == 3);
  CHECK_THAT(result.reason,
             Contains("without a value of the objective") && Contains("no line of its output gave"));
  REQUIRE(result.pause);
  CHECK_THAT(result.pause->hint, Contains("rescan"));
}

TEST_CASE("what logs end with is shared up to numbers") {
  const ScratchFolder folder;
  const auto attempt = [&](const std::string& name, const std::string& log) {
    std::filesystem::create_directory(folder.path() / name);
    std::ofstream(folder.path() / name / "log") << log;
    return folder.path() / name;
  };
  const auto one = attempt("1", "a\nseed 17\nTraceback:\n  line 3\nno torch\n\n");
  const auto two = attempt("2", "b\nseed 4\nTraceback:\n  line 3\nno torch\n");
  const auto other = attempt("3", "killed\n");
  CHECK(engine::shared_log_end({one, two}) ==
        std::vector<std::string>{"seed 4", "Traceback:", "  line 3", "no torch"});
  CHECK(engine::shared_log_end({one, other}).empty());
  CHECK(engine::shared_log_end({folder.path() / "nowhere"}).empty());
  CHECK(engine::shared_log_end({}).empty());
}

TEST_CASE("when a run last lived is known to a fraction of a second, and only as far as it is plausible") {
  const ScratchFolder folder;
  const WallTime saved{Milliseconds(1'700'000'000'000)};
  engine::AliveFile(folder.path()).write(saved + Milliseconds(4'321));
  CHECK(engine::AliveFile(folder.path()).last_time(saved) == saved + Milliseconds(4'321));
  CHECK(engine::AliveFile(folder.path()).last_time(saved + Milliseconds(9'000)) ==
        saved + Milliseconds(9'000));
  // A clock that jumped.
  CHECK(engine::AliveFile(folder.path()).last_time(saved - std::chrono::hours(1)) ==
        saved - std::chrono::hours(1));
  std::ofstream(folder.path() / "alive") << "rubbish that is long enough";
  CHECK(engine::AliveFile(folder.path()).last_time(saved) == saved);
  CHECK(engine::AliveFile(folder.path() / "nowhere").last_time(saved) == saved);
}

}  // namespace
}  // namespace tune::tests
