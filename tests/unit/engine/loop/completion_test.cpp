#include "tuner/engine/loop/completion.h"

#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using engine::check_limits;
using engine::Completion;
using store::StudyEnd;

const Objective kLoss{"loss", Goal::kMinimize, Reduce::kBest};

int notices_with(const LoopFixture& f, const std::string& text) {
  int count = 0;
  for (const auto& event : f.status.events) count += event.message.find(text) != std::string::npos;
  return count;
}

strategies::Suggestion expecting(double gain) {
  strategies::Suggestion suggestion;
  suggestion.expected_gain = gain;
  return suggestion;
}

}  // namespace

TEST_CASE("a study ends when a completed trial reaches the target, and what runs then is stopped") {
  Spec spec = small_spec(20);
  spec.limits.target = 0.3;
  LoopFixture f(spec);
  f.use(2, [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(attempt.id.trial == 3 ? 0.3 : 0.8);
    if (attempt.id.trial == 4) behaviour.hangs = true;
    return behaviour;
  });
  const engine::StudyResult result = f.run();
  CHECK(result.outcome == engine::Outcome::kFinished);
  CHECK(result.reason == "target reached");
  CHECK(result.best_trial == 3);
  CHECK(f.store.trial_count() == 4);
  CHECK(f.store.trial(4)->state == TrialState::kStopped);
  CHECK(f.store.trial(4)->reason == "target reached");
  CHECK(notices_with(f, "limits.target is reached: loss 0.3, the target is 0.3") == 1);
  // A harder target lets it go on.
  f.spec.limits.target = 0.1;
  f.spec.limits.trials = 6;
  f.use(2, [](const engine::Attempt&) { return prints(0.5); });
  CHECK(f.run().reason == "trial limit");
}

TEST_CASE("a study ends after so many trials without a new best, failed ones apart") {
  Spec spec = small_spec(20);
  spec.limits.no_improvement = 3;
  LoopFixture f(spec);
  f.use(1, [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(attempt.id.trial == 2 ? 0.2 : 0.5);
    if (attempt.id.trial == 4) behaviour.exit_code = 1;
    return behaviour;
  });
  CHECK(f.run().reason == "no improvement");
  CHECK(f.store.trial_count() == 6);
  CHECK(notices_with(f, "3 trials in a row brought nothing better than loss 0.2") == 1);
  // The next run counts what there is.
  CHECK(f.run().reason == "no improvement");
  CHECK(f.store.trial_count() == 6);
  f.spec.limits.no_improvement = 5;
  CHECK(f.run().reason == "no improvement");
  CHECK(f.store.trial_count() == 8);
}

TEST_CASE("a study ends when five suggestions in a row are expected to bring too little") {
  Spec spec = small_spec(30);
  spec.limits.convergence = 0.01;
  LoopFixture f(spec);
  f.use(1, [](const engine::Attempt& attempt) { return prints(attempt.id.trial == 1 ? 0.5 : 0.9); });
  f.strategy = std::make_unique<ScriptedStrategy>([&f](const History& history, Rng& rng) {
    strategies::Suggestion suggestion = expecting(history.next_number() < 4 ? 0.1 : 0.004);
    suggestion.parameters = f.spec.space.from_unit(std::vector<double>{rng.uniform(), rng.uniform()});
    return suggestion;
  });
  CHECK(f.run().reason == "converged");
  CHECK(f.store.trial_count() == 7);
  CHECK(notices_with(f, "less than 1 %") == 1);
}

TEST_CASE("nothing is reached before a trial has completed, and what is expected counts in a row") {
  Limits limits;
  limits.target = 1;
  limits.convergence = 0.01;
  Completion completion(limits, kLoss, {}, {});
  for (int i = 0; i < 9; ++i) completion.on_suggestion(expecting(0));
  completion.on_end(TrialState::kStopped, {0.1});
  CHECK_FALSE(completion.reached());
  completion.on_end(TrialState::kCompleted, {2.0});
  for (int i = 0; i < 4; ++i) completion.on_suggestion(expecting(0.001));
  completion.on_suggestion(expecting(0.5));
  for (int i = 0; i < 4; ++i) completion.on_suggestion(expecting(0.001));
  CHECK_FALSE(completion.reached());
  completion.on_suggestion(expecting(0.001));
  CHECK(completion.reached() == StudyEnd::kConvergence);
  completion.on_end(TrialState::kCompleted, {0.9});
  CHECK(completion.reached() == StudyEnd::kTarget);
}

TEST_CASE("with two objectives a trial is news that no earlier one is at least as good as in both") {
  Limits limits;
  limits.no_improvement = 2;
  limits.convergence = 0.01;
  const Objective time{"seconds", Goal::kMinimize, Reduce::kBest};
  Completion completion(limits, kLoss, {}, {}, time);
  completion.on_end(TrialState::kCompleted, {1, 10});
  completion.on_end(TrialState::kCompleted, {2, 5});  // worse in the first, better in the second
  completion.on_end(TrialState::kCompleted, {2, 6});
  CHECK_FALSE(completion.reached());
  completion.on_end(TrialState::kStopped, {0.5});  // it has not completed
  CHECK(completion.reached() == StudyEnd::kNoImprovement);
  CHECK(completion.sentence() ==
        "2 trials in a row brought nothing that is new to the front (limits.no_improvement)");
  completion.on_end(TrialState::kCompleted, {3, 1});
  CHECK_FALSE(completion.reached());
  // The gain is a part of what the front dominates.
  for (int i = 0; i < Completion::kConverged; ++i) completion.on_suggestion(expecting(0.02));
  CHECK_FALSE(completion.reached());
  for (int i = 0; i < Completion::kConverged; ++i) completion.on_suggestion(expecting(0.009));
  CHECK(completion.reached() == StudyEnd::kConvergence);
  CHECK(completion.sentence().find("expected to enlarge what the front dominates by less than 1 %") !=
        std::string::npos);
}

TEST_CASE("a trial that was given up as it waited is no news of the search in a later run either") {
  Limits limits;
  limits.no_improvement = 2;
  std::vector<store::TrialRow> trials(4);
  std::vector<store::AttemptRow> attempts(4);
  for (int i = 0; i < 4; ++i) {
    store::TrialRow& trial = trials[static_cast<std::size_t>(i)];
    trial.number = attempts[static_cast<std::size_t>(i)].trial = i + 1;
    trial.state = i == 0 ? TrialState::kCompleted : TrialState::kStopped;
    trial.values = {0.5 + i};
    trial.ended = WallTime(Milliseconds(i));
    trial.reason = attempts[static_cast<std::size_t>(i)].reason = i == 0 ? "" : "the rule stopped it";
  }
  attempts[1].reason = attempts[2].reason = "paused at step 3";
  CHECK_FALSE(Completion(limits, kLoss, trials, attempts).reached());
  attempts[1].reason = trials[1].reason;
  CHECK(Completion(limits, kLoss, trials, attempts).reached() == StudyEnd::kNoImprovement);
}

TEST_CASE("limits that only one objective can have are refused for two") {
  Spec spec = small_spec();
  Limits limits;
  limits.target = 1;
  CHECK_NOTHROW(check_limits(limits, spec));
  spec.second_objective = kLoss;
  CHECK_THROWS_AS(check_limits(limits, spec), Error);
}

TEST_CASE("a part of a best value of nothing is a part of how far the trials lie apart") {
  Limits limits;
  limits.convergence = 0.01;
  for (const double best : {0.0, 1e-9, -1e-9}) {
    CAPTURE(best);
    Completion completion(limits, kLoss, {}, {});
    for (const double value : {4.0, best, 2.0}) completion.on_end(TrialState::kCompleted, {value});
    // A hundredth of the 2 between the best and the median, and 1 % of that.
    for (int i = 0; i < Completion::kConverged; ++i) completion.on_suggestion(expecting(0.0003));
    CHECK_FALSE(completion.reached());
    for (int i = 0; i < Completion::kConverged; ++i) completion.on_suggestion(expecting(0.0001));
    CHECK(completion.reached() == StudyEnd::kConvergence);
  }
}

TEST_CASE("a best value that is far from 0 is what convergence is a part of, however far others lie") {
  Limits limits;
  limits.convergence = 0.01;
  Completion completion(limits, kLoss, {}, {});
  for (const double value : {2.3, 0.05, 2.3}) completion.on_end(TrialState::kCompleted, {value});
  for (int i = 0; i < Completion::kConverged; ++i) completion.on_suggestion(expecting(0.00051));
  CHECK_FALSE(completion.reached());
  for (int i = 0; i < Completion::kConverged; ++i) completion.on_suggestion(expecting(0.00049));
  CHECK(completion.reached() == StudyEnd::kConvergence);
}

TEST_CASE("a strategy that expects nothing of a trial takes no convergence later either") {
  Limits limits;
  limits.convergence = 0.01;
  Spec spec = small_spec();
  for (const char* name : {"auto", "bayesian"}) {
    spec.strategy.name = name;
    CHECK_NOTHROW(check_limits(limits, spec));
  }
  for (const char* name : {"random", "sobol", "grid", "tpe", "hyperband"}) {
    spec.strategy.name = name;
    CHECK_THROWS_WITH(check_limits(limits, spec),
                      Catch::Matchers::Contains(std::string("limits.convergence: the strategy \"") + name));
  }
}

}  // namespace tune::tests
