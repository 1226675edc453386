// Successive halving in the loop: trials that wait with their checkpoints, and go on.
#include <fstream>

#include "strategies/promoting.h"
#include "strategies/strategy.h"
#include "tuner/engine/loop/inbox.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using Catch::Matchers::Contains;

constexpr std::int64_t kEpochs = 9;  // rungs at steps 1 and 3

Spec halving_spec(int trials, StopForm form) {
  Spec spec = small_spec(trials);
  spec.early_stopping.rule = "asha";
  spec.early_stopping.form = form;
  spec.early_stopping.max_step = kEpochs;
  spec.early_stopping.reduction_factor = 3;
  return spec;
}

enum class Checkpoints { kUsed, kNone, kIgnored };

// An epoch a second; the loss is x and falls slowly. Goes on behind the last step that it printed, or not.
Behaviour epochs(const engine::Attempt& attempt, Checkpoints checkpoints) {
  const auto done = attempt.steps_done.find("loss");
  std::int64_t first = done == attempt.steps_done.end() ? 1 : done->second + 1;
  if (checkpoints == Checkpoints::kIgnored) first = 1;
  if (checkpoints != Checkpoints::kNone) std::ofstream(attempt.checkpoint_folder / "last") << "weights";
  const double x = attempt.trial_json["parameters"]["x"].get<double>();
  Behaviour behaviour;
  for (std::int64_t step = first; step <= kEpochs; ++step)
    behaviour.lines.push_back(
        {Milliseconds(1000 * (step - first + 1)), "loss", x + 0.01 / static_cast<double>(step), step, false});
  behaviour.lasts = Milliseconds(1000 * (kEpochs - first + 1) + 100);
  return behaviour;
}

// It is told to pause, and the grace goes by.
Behaviour slow_to_pause(const engine::Attempt& attempt) {
  Behaviour behaviour = epochs(attempt, Checkpoints::kUsed);
  behaviour.ignores_term = true;
  behaviour.lasts = std::chrono::minutes(10);
  return behaviour;
}

struct HalvingFixture : LoopFixture {
  HalvingFixture(int trials, StopForm form, Checkpoints checkpoints = Checkpoints::kUsed)
      : LoopFixture(halving_spec(trials, form)) {
    use(2, [checkpoints](const engine::Attempt& attempt) { return epochs(attempt, checkpoints); });
    renew();
  }
  // As the next run of the program has them.
  void renew() {
    strategy = strategies::with_promotions(
        strategies::make_strategy({"random", 7, {}}, spec.space, spec.objective, 7), spec.early_stopping,
        spec.objective);
    rule = strategies::make_stop_rule(spec.early_stopping, spec.objective);
  }
  int trials_in(TrialState state) const {
    int count = 0;
    for (const store::TrialRow& row : store.trials()) count += row.state == state;
    return count;
  }
  int said(const std::string& text) const {
    int count = 0;
    for (const auto& event : status.events) count += event.message.find(text) != std::string::npos;
    return count;
  }
  std::int64_t epochs_trained() const {
    std::int64_t count = 0;
    for (const store::TrialRow& row : store.trials())
      count += static_cast<std::int64_t>(store.curve(row.number, "loss").size());
    return count;
  }
};

}  // namespace

TEST_CASE(
    "trials wait at their rungs, the best go on from their checkpoints, and the best of all completes") {
  HalvingFixture f(27, StopForm::kPause);
  const engine::StudyResult result = f.run();
  CHECK(result.outcome == engine::Outcome::kFinished);
  CHECK(result.reason == "trial limit");
  CHECK(f.store.trial_count() == 27);
  CHECK(result.completed >= 1);
  CHECK(result.failed == 0);
  CHECK(f.trials_in(TrialState::kPaused) + result.completed == 27);
  CHECK(f.epochs_trained() < 27 * kEpochs / 3);

  double least = 1;
  for (const store::TrialRow& row : f.store.trials())
    least = std::min(least, row.parameters.at("x").get<double>());
  REQUIRE(result.best_trial);
  CHECK(f.store.trial(*result.best_trial)->parameters.at("x").get<double>() == least);
  CHECK(f.store.curve(*result.best_trial, "loss").size() == static_cast<std::size_t>(kEpochs));
  CHECK(f.said("early stopping: rungs at steps 1 and 3 of 9") == 1);
  CHECK(f.said("goes on: loss") > 0);
  // A study that ends so may be given more trials, and those that wait count among them.
  f.spec.limits.trials = 54;
  f.renew();
  CHECK(f.run().reason == "trial limit");
  CHECK(f.store.trial_count() == 54);
}

TEST_CASE("the rule that stops lets the first trials through and ends the others at their rungs") {
  HalvingFixture f(27, StopForm::kStop);
  const engine::StudyResult result = f.run();
  CHECK(result.completed >= 1);
  CHECK(result.completed + result.stopped == 27);
  CHECK(f.trials_in(TrialState::kPaused) == 0);
  CHECK(f.epochs_trained() < 27 * kEpochs / 2);
  for (const store::TrialRow& row : f.store.trials())
    if (row.state == TrialState::kStopped) CHECK_THAT(row.reason, Contains("the best 1 of 3 goes on"));
}

TEST_CASE(
    "a trainer without checkpoints is found out at the first pause, and the study goes on with stopping") {
  HalvingFixture f(12, StopForm::kPause, Checkpoints::kNone);
  const engine::StudyResult result = f.run();
  CHECK(result.outcome == engine::Outcome::kFinished);
  CHECK(f.said("left no checkpoint to go on from: from here on the rule stops") == 1);
  CHECK(f.trials_in(TrialState::kPaused) == 0);
  CHECK(result.completed >= 1);
  CHECK(result.completed + result.stopped == 12);
  REQUIRE(f.store.study().facts.no_pausing);
  // The next run of the study knows it.
  f.spec.limits.trials = 15;
  f.renew();
  f.run();
  CHECK(f.said("from here on the rule stops") == 1);
  CHECK(f.trials_in(TrialState::kPaused) == 0);
}

TEST_CASE("a trainer that begins anew is found out when the first trial goes on") {
  HalvingFixture f(27, StopForm::kPause, Checkpoints::kIgnored);
  const engine::StudyResult result = f.run();
  CHECK(result.outcome == engine::Outcome::kFinished);
  CHECK(f.said("began anew at step 1: from here on the rule stops") == 1);
  CHECK(f.trials_in(TrialState::kPaused) == 0);
  CHECK(result.completed >= 1);
  CHECK(result.completed + result.stopped == 27);
}

TEST_CASE("a person's stop holds for a trial that is just being paused") {
  HalvingFixture f(6, StopForm::kPause);
  f.use(1, slow_to_pause);
  const engine::Inbox inbox(f.folder.path());
  bool is_asked = false;
  f.runner->before_wait = [&] {
    if (f.runner->stops.empty() || std::exchange(is_asked, true)) return;
    inbox.send({{}, "stop", {{"trial", 1}}, "ada@host", f.clock.wall_now()});
  };
  f.run();
  REQUIRE(is_asked);
  CHECK(f.store.trial(1)->state == TrialState::kStopped);
  CHECK(f.store.trial(1)->reason == "stopped by ada@host");
  CHECK(f.store.trial(1)->attempts == 1);
}

TEST_CASE("a person's stop holds for a trial whose loop dies while it is being paused") {
  HalvingFixture f(6, StopForm::kPause);
  f.use(1, slow_to_pause);
  const engine::Inbox inbox(f.folder.path());
  bool is_asked = false;
  f.runner->before_wait = [&] {
    if (f.runner->stops.empty()) return;
    if (!std::exchange(is_asked, true))
      inbox.send({{}, "stop", {{"trial", 1}}, "ada@host", f.clock.wall_now()});
    if (f.store.study().facts.stop_requests.contains(1)) throw OrchestratorGone{};
  };
  CHECK_THROWS_AS(f.run(), OrchestratorGone);
  f.runner->orchestrator_dies([](AttemptId) { return true; });
  f.use(1, [](const engine::Attempt& attempt) { return epochs(attempt, Checkpoints::kUsed); });
  f.renew();
  f.run();
  CHECK(f.store.trial(1)->state == TrialState::kStopped);
  CHECK(f.store.trial(1)->reason == "stopped by a person");
  CHECK(f.store.trial(1)->attempts == 1);
  CHECK(f.store.study().facts.stop_requests.empty());
}

TEST_CASE("a trainer that fails when it goes on is found out at the first such trial") {
  HalvingFixture f(18, StopForm::kPause);
  f.use(2, [](const engine::Attempt& attempt) {
    Behaviour behaviour = epochs(attempt, Checkpoints::kUsed);
    if (attempt.id.attempt > 1)
      behaviour.lines.clear(), behaviour.exit_code = 1, behaviour.lasts = Milliseconds(50);
    return behaviour;
  });
  const engine::StudyResult result = f.run();
  CHECK(f.said("failed when it went on (exit code 1): from here on the rule stops") == 1);
  CHECK(result.failed <= 2);
  CHECK(result.completed >= 1);
  CHECK(f.trials_in(TrialState::kPaused) == 0);
}

TEST_CASE("a study that dies anywhere while trials wait ends with the same trials trained") {
  HalvingFixture whole(18, StopForm::kPause);
  whole.use(1, [](const engine::Attempt& attempt) { return epochs(attempt, Checkpoints::kUsed); });
  whole.run();
  for (int deaths = 1; deaths <= 12; ++deaths) {
    HalvingFixture f(18, StopForm::kPause);
    int waits = 0, died = 0;
    while (true) {
      f.use(1, [](const engine::Attempt& attempt) { return epochs(attempt, Checkpoints::kUsed); });
      f.runner->before_wait = [&] {
        if (died < deaths && ++waits % 7 == 0) {
          ++died;
          throw OrchestratorGone{};
        }
      };
      f.renew();
      try {
        const engine::StudyResult result = f.run();
        CHECK(result.outcome == engine::Outcome::kFinished);
        break;
      } catch (const OrchestratorGone&) {
        f.runner->orchestrator_dies([](AttemptId) { return false; });
      }
    }
    INFO(deaths);
    CHECK(died == deaths);
    CHECK(f.store.trial_count() == 18);
    CHECK(f.trials_in(TrialState::kCompleted) == whole.trials_in(TrialState::kCompleted));
    CHECK(f.trials_in(TrialState::kRunning) + f.trials_in(TrialState::kQueued) == 0);
  }
}

}  // namespace tune::tests
