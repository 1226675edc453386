// What runs again after a failure, and as what.
#include "tuner/engine/loop/retries.h"

#include <algorithm>
#include <fstream>

#include "tuner/engine/attempt/attempt_plan.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;

Parameter count_parameter(const std::string& name, double min, double max) {
  Parameter parameter = float_parameter(name, min, max);
  parameter.type = ParameterType::kInt;
  return parameter;
}

// A batch size that is searched, an accumulation that is fixed, and a ladder of two steps.
Spec ladder_spec(int trials = 1) {
  Spec spec = small_spec(trials);
  spec.limits.parallel = 1;
  spec.space = SearchSpace({count_parameter("batch", 16, 16)});
  spec.command = {"train", "--batch={{batch}}", "--accumulate={{accumulate}}"};
  spec.fixed = {{"accumulate", 1}};
  const RetryStep step{{"batch", Rescale::kHalf}, {"accumulate", Rescale::kDouble}};
  spec.retry.out_of_memory = {step, step};
  return spec;
}

Behaviour runs_out_of_memory() {
  Behaviour behaviour;
  behaviour.exit_code = 1;
  behaviour.log = "torch.OutOfMemoryError: CUDA out of memory.\n";
  return behaviour;
}

struct LadderFixture : LoopFixture {
  explicit LadderFixture(Spec given = ladder_spec()) : LoopFixture(std::move(given)) {
    strategy = std::make_unique<ScriptedStrategy>([this](const History&, Rng&) {
      const std::vector<double> unit(spec.space.size(), 0.5);
      return strategies::Suggestion{spec.space.from_unit(unit), 1, std::nullopt, "drawn"};
    });
  }
  // Trials fit from this batch size down.
  void fit_from(int batch) {
    use(1, [batch](const engine::Attempt& attempt) {
      return attempt.trial_json["parameters"]["batch"] <= batch ? prints(0.5) : runs_out_of_memory();
    });
  }
  Json overrides_of_attempts() const {
    Json list = Json::array();
    for (const auto& attempt : store.attempts(1)) list.push_back(attempt.facts.overrides);
    return list;
  }
};

TEST_CASE("a trial that runs out of memory runs again with the next step of the ladder, as the same trial") {
  LadderFixture f;
  f.fit_from(4);
  const auto result = f.run();
  CHECK(result.completed == 1);
  const store::TrialRow trial = f.store.trial(1).value();
  CHECK(trial.state == TrialState::kCompleted);
  CHECK(trial.failure.empty());
  CHECK(trial.attempts == 3);
  CHECK(f.store.trial_count() == 1);                       // a retry is no trial
  CHECK(trial.parameters == ParameterSet{{"batch", 16}});  // what was suggested
  CHECK(trial.facts.overrides == Json{{"accumulate", 4}, {"batch", 4}});
  CHECK(
      trial.reason ==
      "completed, with accumulate 4 in place of 1, batch 4 in place of 16, since it ran out of memory as it "
      "was suggested");
  CHECK(f.overrides_of_attempts() ==
        Json::array({Json::object(), {{"batch", 8}, {"accumulate", 2}}, {{"batch", 4}, {"accumulate", 4}}}));
  const auto attempts = f.store.attempts(1);
  CHECK(attempts[0].facts.failure == "oom");
  CHECK(attempts[0].reason.starts_with(
      "from here on with accumulate 2 in place of 1, batch 8 in place of 16: "));
  CHECK(attempts[2].facts.failure.empty());
  // What the trainer was told.
  const engine::Attempt& last = f.runner->started.back();
  CHECK(last.argv == std::vector<std::string>{"train", "--batch=4", "--accumulate=4"});
  CHECK(last.trial_json["parameters"] == Json{{"batch", 4}});
  CHECK(last.trial_json["fixed"] == Json{{"accumulate", 4}});
  CHECK(last.trial_json["overrides"] == Json{{"batch", 4}, {"accumulate", 4}});
  CHECK(f.runner->started.front().trial_json["overrides"] == Json::object());
  // What strategies see, now and after a restart.
  const History history = f.store.load_history();
  CHECK(history.trials[0]->did_not_fit);
  CHECK(history.trials[0]->values == std::vector<double>{0.5});
}

TEST_CASE("a trial for which the ladder has no step left fails as out of memory") {
  LadderFixture f;
  f.fit_from(1);
  const auto result = f.run();
  CHECK(result.failed == 1);
  const store::TrialRow trial = f.store.trial(1).value();
  CHECK(trial.failure == "oom");
  CHECK(trial.attempts == 3);
  CHECK(trial.reason.find("batch 4 in place of 16") != std::string::npos);
}

TEST_CASE(
    "without a ladder a trial that runs out of memory fails at once, and so does any mistake of its own") {
  Spec spec = ladder_spec();
  spec.retry.out_of_memory.clear();
  LadderFixture f(spec);
  f.fit_from(4);
  f.run();
  CHECK(f.store.trial(1)->failure == "oom");
  CHECK(f.store.trial(1)->attempts == 1);
  LadderFixture crashed;
  crashed.use(1, [](const engine::Attempt&) {
    Behaviour behaviour;
    behaviour.exit_code = 2;
    behaviour.log = "KeyError: 'lr'\n";
    return behaviour;
  });
  crashed.run();
  CHECK(crashed.store.trial(1)->failure == "crash");
  CHECK(crashed.store.trial(1)->attempts == 1);
}

TEST_CASE("an attempt with other hyperparameters begins anew, without the checkpoint of the one before") {
  LadderFixture f;
  f.use(1, [&](const engine::Attempt& attempt) {
    if (attempt.id.attempt > 1) return prints(0.5);
    std::ofstream(attempt.checkpoint_folder / "last") << "weights";
    Behaviour behaviour = runs_out_of_memory();
    behaviour.lines = {{Milliseconds(10), "loss", 0.1, 1, false}};
    return behaviour;
  });
  f.run();
  CHECK(f.runner->started.back().trial_json["resume_from"].is_null());
  CHECK_FALSE(std::filesystem::exists(checkpoint_folder(f.folder.path(), 1) / "last"));
  CHECK(f.store.trial(1)->values == std::vector<double>{0.5});  // 0.1 was another training's
}

TEST_CASE("a loop that dies at any moment of a ladder neither repeats nor loses a step") {
  const int dies_at = GENERATE(range(1, 12));
  LadderFixture f;
  f.fit_from(4);
  int waits = 0;
  f.runner->before_wait = [&] {
    if (++waits == dies_at) throw OrchestratorGone{};
  };
  try {
    f.run();
  } catch (const OrchestratorGone&) {
    f.runner->orchestrator_dies([](AttemptId) { return false; });
  }
  f.fit_from(4);
  f.run();
  CHECK(f.store.trial(1)->state == TrialState::kCompleted);
  CHECK(f.store.trial(1)->facts.overrides == Json{{"accumulate", 4}, {"batch", 4}});
  int failures = 0;
  for (const auto& attempt : f.store.attempts(1)) failures += attempt.facts.failure == "oom";
  CHECK(failures == 2);
}

TEST_CASE("what the machine has ended runs again after a wait that doubles, and fails after so many tries") {
  Spec spec = small_spec(1);
  spec.retry.infrastructure = 4;
  spec.retry.backoff = Milliseconds(10'000);
  LoopFixture f(spec);
  std::vector<SteadyTime> starts;
  f.use(1, [&](const engine::Attempt&) {
    starts.push_back(f.clock.steady_now());
    Behaviour behaviour;
    behaviour.without_report = true;
    return behaviour;
  });
  f.run();
  CHECK(f.store.trial(1)->failure == "lost");
  CHECK(f.store.trial(1)->reason.starts_with("lost 4 times: "));
  REQUIRE(starts.size() == 4);
  for (std::size_t i = 1; i < starts.size(); ++i) {
    const auto wait = starts[i] - starts[i - 1] - Milliseconds(100);  // it runs so long
    const auto wanted = Milliseconds(10'000 << (i - 1));
    CHECK(wait >= wanted);
    CHECK(wait < wanted + Milliseconds(1'000));
  }
}

TEST_CASE("a trial that a person had run again has all its tries, whatever the machine did to it before") {
  LoopFixture f(small_spec(1));
  int losses = 3;
  const auto script = [&](const engine::Attempt&) {
    Behaviour behaviour = prints(0.5);
    behaviour.without_report = losses-- > 0;
    return behaviour;
  };
  f.use(1, script);
  f.run();
  store::TrialRow trial = *f.store.trial(1);
  REQUIRE(trial.failure == "lost");
  trial.state = TrialState::kQueued;
  trial.failure.clear();
  trial.ended.reset();
  trial.facts.reopened_after = trial.attempts;
  f.store.change_finished_trial(trial, {0, f.clock.wall_now(), "trial_reopened", 0, trial.attempts, {}});
  losses = 1;
  f.use(1, script);
  f.run();
  CHECK(f.store.trial(1)->state == TrialState::kCompleted);
  CHECK(f.store.trial(1)->attempts == 5);
}

TEST_CASE("while a trial waits to run again others begin") {
  Spec spec = small_spec(3);
  spec.limits.parallel = 1;
  spec.retry.backoff = std::chrono::hours(1);
  LoopFixture f(spec);
  f.use(1, [&](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(0.5);
    behaviour.without_report = attempt.id == AttemptId{1, 1};
    return behaviour;
  });
  f.run();
  std::vector<int> order;
  for (const auto& attempt : f.runner->started) order.push_back(attempt.id.trial);
  CHECK(order == std::vector<int>{1, 2, 3, 1});
}

TEST_CASE("a broken GPU is the machine's fault: the trial runs again, and fails as that in the end") {
  Spec spec = small_spec(2);
  spec.limits.parallel = 1;
  LoopFixture f(spec);
  f.use(1, [&](const engine::Attempt& attempt) {
    if (attempt.id.trial == 2 && attempt.id.attempt == 2) return prints(0.5);
    Behaviour behaviour;
    behaviour.exit_code = 1;
    behaviour.log = "RuntimeError: CUDA error: uncorrectable ECC error encountered\n";
    return behaviour;
  });
  f.run();
  CHECK(f.store.trial(1)->failure == "device");
  CHECK(f.store.trial(1)->attempts == 3);
  CHECK(f.store.trial(2)->state == TrialState::kCompleted);
  CHECK(f.store.attempts(2).at(0).facts.failure == "device");
}

TEST_CASE(
    "the most memory that was measured is kept with the attempt, and with the trial as strategies see it") {
  LoopFixture f(small_spec(2));
  f.use(2, [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(0.5);
    if (attempt.id.trial == 1) behaviour.memory.peak = 3 * kGib;
    return behaviour;
  });
  f.run();
  CHECK(f.store.attempts(1).at(0).facts.peak_device_memory == 3 * kGib);
  CHECK_FALSE(f.store.attempts(2).at(0).facts.peak_device_memory);
  const History history = f.store.load_history();
  CHECK(history.trials[0]->device_memory == 3 * kGib);
  CHECK_FALSE(history.trials[1]->device_memory);
}

struct PackingFixture : LoopFixture {
  explicit PackingFixture(int trials)
      : LoopFixture([&] {
          Spec packed = small_spec(trials);
          packed.limits.parallel = 8;
          packed.resources.packs_gpus = true;
          return packed;
        }()) {
    use(8, [this](const engine::Attempt& attempt) {
      Behaviour behaviour = script ? script(attempt) : prints(0.5);
      behaviour.lasts = std::chrono::minutes(1);
      behaviour.memory.peak = peak;
      held[attempt.id.trial] = attempt.memory;
      return behaviour;
    });
    // One GPU of 10 GiB.
    runner->room = [this](std::optional<std::uint64_t> memory) {
      std::uint64_t taken = 0;
      for (const auto& [trial, bytes] : held) {
        if (store.trial(trial)->state != TrialState::kRunning) continue;
        if (!memory || !bytes) return false;
        taken += *bytes;
      }
      return taken + memory.value_or(0) <= 10 * kGib;
    };
    runner->before_wait = [this] { most_at_once = std::max(most_at_once, runner->live()); };
  }
  std::function<Behaviour(const engine::Attempt&)> script;
  std::uint64_t peak = 3 * kGib;
  std::map<int, std::optional<std::uint64_t>> held;  // set aside for the last attempt of each trial
  int most_at_once = 0;
};

TEST_CASE("trials have a GPU to themselves until it is known what they take, and share it then") {
  PackingFixture f(12);
  f.run();
  CHECK(f.store.attempts().size() == 12);  // none was begun in vain
  for (int trial = 1; trial <= 4; ++trial) CHECK_FALSE(f.held.at(trial));
  for (int trial = 5; trial <= 12; ++trial) {
    REQUIRE(f.held.at(trial));
    CHECK(*f.held.at(trial) > 3 * kGib);
    CHECK(*f.held.at(trial) < 4 * kGib);
    CHECK(f.store.attempts(trial).at(0).facts.reserved_device_memory == f.held.at(trial));
  }
  CHECK(f.most_at_once == 3);  // of 3.3 GiB in 10
}

TEST_CASE("what is known of memory is known after a restart") {
  PackingFixture f(8);
  f.status.hook = [&](const engine::StatusEvent& event) {
    if (event.kind == engine::StatusKind::kTrialFinished && event.trial == 4) f.interruption.count = 1;
  };
  f.run();
  f.interruption.count = 0;
  f.status.hook = {};
  f.held.clear();
  f.run();
  CHECK(f.held.at(8));
  CHECK(f.most_at_once == 3);
}

TEST_CASE("a trial that lacks memory beside others runs again as it was suggested, with the GPU to itself") {
  PackingFixture f(8);
  f.spec.retry.out_of_memory = {{{"x", Json(0.25)}}};
  f.script = [&](const engine::Attempt& attempt) {
    if (attempt.id != AttemptId{6, 1}) return prints(0.5);
    Behaviour behaviour = runs_out_of_memory();
    behaviour.memory.had_company = true;
    return behaviour;
  };
  f.run();
  const auto attempts = f.store.attempts(6);
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].facts.failure == "oom_beside_others");
  CHECK(attempts[1].facts.overrides.empty());  // no step of the ladder
  CHECK_FALSE(attempts[1].facts.reserved_device_memory);
  CHECK(f.store.trial(6)->state == TrialState::kCompleted);
  CHECK_FALSE(f.store.load_history().trials[5]->did_not_fit);
}

TEST_CASE("what was taken away before it had saved counts until an attempt has taken the trial further") {
  const auto attempt = [](int number, std::optional<StopReason> stop, const std::string& failure) {
    store::AttemptRow row;
    row.trial = 1;
    row.attempt = number;
    row.state = store::AttemptState::kExited;
    row.stop = stop;
    row.facts.failure = failure;
    return row;
  };
  std::vector<store::AttemptRow> attempts{attempt(1, StopReason::kTerminated, engine::kTakenAway),
                                          attempt(2, StopReason::kTerminated, engine::kTakenAway)};
  CHECK(engine::machine_losses({}, attempts) == 2);
  attempts.push_back(attempt(3, StopReason::kTerminated, ""));
  CHECK(engine::machine_losses({}, attempts) == 0);
  attempts.push_back(attempt(4, std::nullopt, engine::kBrokenDevice));
  attempts.push_back(attempt(5, StopReason::kTerminated, engine::kTakenAway));
  CHECK(engine::machine_losses({}, attempts) == 2);
  attempts.push_back(attempt(6, StopReason::kJobTime, ""));
  CHECK(engine::machine_losses({}, attempts) == 1);
}

}  // namespace
}  // namespace tune::tests
