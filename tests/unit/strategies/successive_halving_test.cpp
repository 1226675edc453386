#include <cmath>
#include <limits>

#include "conformance/sample_spaces.h"
#include "strategies/promoting.h"
#include "strategies/random_strategy.h"
#include "strategies/rungs.h"
#include "strategies/successive_halving_rule.h"
#include "support/catch.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

constexpr double kDivergedValue = std::numeric_limits<double>::quiet_NaN();

EarlyStopping asha(std::int64_t max_step, int factor = 3) {
  EarlyStopping spec;
  spec.rule = "asha";
  spec.max_step = max_step;
  spec.reduction_factor = factor;
  return spec;
}

EarlyStopping pausing(std::int64_t max_step) {
  EarlyStopping spec = asha(max_step);
  spec.form = StopForm::kPause;
  return spec;
}

// A curve that stays at `value`, of steps 1 to `steps`.
TrialView flat(int number, TrialState state, double value, std::int64_t steps) {
  TrialView trial;
  trial.number = number;
  trial.state = state;
  trial.parameters = {{"x0", 0.5}, {"x1", 0.5}};
  for (std::int64_t step = 1; step <= steps; ++step) trial.curve.push_back({step, value});
  if (state == TrialState::kCompleted) trial.values = {value};
  return trial;
}

void add(History& history, TrialState state, double value, std::int64_t steps) {
  history.trials.push_back(
      std::make_shared<const TrialView>(flat(history.next_number(), state, value, steps)));
}

Verdict judge(const EarlyStopping& spec, const History& history, double value, std::int64_t step,
              int number = 99) {
  return SuccessiveHalvingRule(spec, maximize())
      .judge(flat(number, TrialState::kRunning, value, step), history);
}

History stopped_at_first_rung(const std::vector<double>& values) {
  History history{maximize(), {}};
  for (const double value : values) add(history, TrialState::kStopped, value, 3);
  return history;
}

}  // namespace

TEST_CASE("Rungs are at powers of the reduction factor from the end, down to a tenth or the start step") {
  const auto steps = [](EarlyStopping spec) {
    return Rungs(spec, maximize()).plan(History{maximize(), {}}).value().steps;
  };
  CHECK(steps(asha(27)) == std::vector<std::int64_t>{3, 9});
  CHECK(steps(asha(81)) == std::vector<std::int64_t>{9, 27});
  CHECK(steps(asha(20, 2)) == std::vector<std::int64_t>{3, 5, 10});
  CHECK(steps(asha(100)) == std::vector<std::int64_t>{12, 34});
  CHECK(steps(asha(2)) == std::vector<std::int64_t>{1});
  CHECK(steps(asha(1)).empty());
  EarlyStopping early = asha(81);
  early.start_step = 1;
  CHECK(steps(early) == std::vector<std::int64_t>{1, 3, 9, 27});
}

TEST_CASE("The best third goes on from a rung, and the others are stopped with their place as the reason") {
  const History history = stopped_at_first_rung({0.1, 0.2, 0.3, 0.4, 0.5});
  CHECK(judge(asha(27), history, 0.45, 3).action == Action::kGoOn);  // second of six, two go on
  const Verdict verdict = judge(asha(27), history, 0.35, 3);
  CHECK(verdict.action == Action::kStop);
  CHECK(verdict.reason.find("place 3 of the 6") != std::string::npos);
  CHECK(verdict.reason.find("step 3") != std::string::npos);
}

TEST_CASE("A trial is judged where it arrives at a rung, and not on its way to the next") {
  const History history = stopped_at_first_rung({0.1, 0.2, 0.3, 0.4, 0.5});
  CHECK(judge(asha(27), history, 0.0, 2).action == Action::kGoOn);
  CHECK(judge(asha(27), history, 0.0, 3).action == Action::kStop);
  CHECK(judge(asha(27), history, 0.0, 4).action == Action::kGoOn);
  // A metric that comes at every other step arrives late.
  TrialView sparse = flat(99, TrialState::kRunning, 0.0, 0);
  sparse.curve = {{2, 0.0}, {4, 0.0}};
  CHECK(SuccessiveHalvingRule(asha(27), maximize()).judge(sparse, history).action == Action::kStop);
}

TEST_CASE("The first trials go on before there are enough to compare") {
  CHECK(judge(asha(27), stopped_at_first_rung({0.9}), 0.1, 3).action == Action::kGoOn);
  CHECK(judge(asha(27), stopped_at_first_rung({0.9, 0.8}), 0.1, 3).action == Action::kStop);
}

TEST_CASE("Failed trials do not count, and a trial that has diverged is stopped once another was finite") {
  History history = stopped_at_first_rung({0.1, 0.2});
  for (int i = 0; i < 9; ++i) add(history, TrialState::kFailed, 0.9, 3);
  CHECK(judge(asha(27), history, 0.3, 3).action == Action::kGoOn);
  TrialView diverged = flat(99, TrialState::kRunning, kDivergedValue, 3);
  CHECK(SuccessiveHalvingRule(asha(27), maximize()).judge(diverged, history).action == Action::kStop);
  CHECK(SuccessiveHalvingRule(asha(27), maximize()).judge(diverged, History{maximize(), {}}).action ==
        Action::kGoOn);
}

TEST_CASE(
    "A trial that diverges after the last rung is stopped there, a probe too, and none while it may warm "
    "up") {
  History history = stopped_at_first_rung({0.1, 0.2});
  add(history, TrialState::kCompleted, 0.3, 27);
  TrialView late = flat(99, TrialState::kRunning, 0.5, 20);
  for (std::size_t i = 15; i < 20; ++i) late.curve[i].value = kDivergedValue;
  const Verdict verdict = SuccessiveHalvingRule(asha(27), maximize()).judge(late, history);
  CHECK(verdict.action == Action::kStop);
  CHECK(verdict.reason.find("step 20") != std::string::npos);
  EarlyStopping chosen = asha(27);
  chosen.rule = "auto";
  late.number = 16;
  CHECK(SuccessiveHalvingRule(chosen, maximize()).judge(late, history).action == Action::kStop);
  const TrialView early = flat(99, TrialState::kRunning, kDivergedValue, 2);
  CHECK(SuccessiveHalvingRule(asha(27), maximize()).judge(early, history).action == Action::kGoOn);
}

TEST_CASE(
    "Where trials that fall behind are paused, half of them go on from a rung unless the spec says "
    "otherwise") {
  EarlyStopping spec = pausing(32);
  spec.reduction_factor.reset();
  CHECK(Rungs(spec, maximize()).plan(History{maximize(), {}}).value().steps ==
        std::vector<std::int64_t>{4, 8, 16});
  spec.form = StopForm::kStop;
  CHECK(Rungs(spec, maximize()).plan(History{maximize(), {}}).value().steps ==
        std::vector<std::int64_t>{4, 11});
  spec.form = StopForm::kPause;
  spec.rule = "hyperband";
  CHECK(Rungs(spec, maximize()).reduction_factor() == 3);
}

TEST_CASE("The length of a training is what completed trials show, whatever was said of it") {
  History history{maximize(), {}};
  EarlyStopping silent;
  silent.rule = "asha";
  CHECK_FALSE(Rungs(silent, maximize()).plan(history));
  add(history, TrialState::kCompleted, 0.5, 27);
  CHECK(Rungs(silent, maximize()).plan(history).value().full_steps == 27);
  const auto plan = Rungs(asha(100), maximize()).plan(history);
  CHECK(plan.value().full_steps == 27);
  CHECK(plan.value().text.find("not at 100") != std::string::npos);
}

TEST_CASE("Trials whose lengths differ meet at equal fractions of them") {
  EarlyStopping spec;
  spec.rule = "asha";
  spec.max_step_parameter = "epochs";
  History history{maximize(), {}};
  for (const double value : {0.1, 0.2, 0.3}) {
    TrialView trial = flat(history.next_number(), TrialState::kStopped, value, 9);
    trial.parameters["epochs"] = 27;
    history.trials.push_back(std::make_shared<const TrialView>(trial));
  }
  TrialView other = flat(99, TrialState::kRunning, 0.0, 3);
  other.parameters["epochs"] = 9;
  SuccessiveHalvingRule rule(spec, maximize());
  const Verdict verdict = rule.judge(other, history);
  CHECK(verdict.action == Action::kStop);  // step 3 of 9 is the rung of step 9 of 27
  CHECK(verdict.reason.find("place 4 of the 4") != std::string::npos);
}

TEST_CASE("Brackets of hyperband are dealt out in the proportions of the algorithm") {
  EarlyStopping spec = asha(27);
  spec.rule = "hyperband";
  spec.start_step = 1;  // rungs 1, 3, 9: brackets of 27, 12, 6 and 4 trials
  const Rungs rungs(spec, maximize());
  std::vector<int> met(4, 0);
  const History history{maximize(), {}};
  for (int number = 1; number <= 49; ++number)
    ++met[rungs.steps_of(flat(number, TrialState::kRunning, 0, 1), history).size()];
  CHECK(met == std::vector<int>{4, 6, 12, 27});
}

TEST_CASE("Where the rule pauses, the first trials wait too") {
  const Verdict verdict = judge(pausing(27), History{maximize(), {}}, 0.9, 3);
  CHECK(verdict.action == Action::kPause);
  CHECK_FALSE(verdict.reason.empty());
  CHECK(judge(pausing(27), stopped_at_first_rung({0.1, 0.2}), 0.9, 3).action == Action::kGoOn);
  History vain = stopped_at_first_rung({0.5, 0.6, 0.7});
  vain.can_pause = false;
  CHECK(judge(pausing(27), vain, 0.1, 3).action == Action::kStop);
}

TEST_CASE("A paused trial goes on once it is among the best third of its rung, the highest rung first") {
  const SearchSpace space = cube(2);
  const auto strategy = with_promotions(std::make_unique<RandomStrategy>(space), pausing(27), maximize());
  const auto ask = [&](const History& history) {
    Rng rng(1, 1);
    return strategy->suggest(history, rng);
  };
  History history{maximize(), {}};
  add(history, TrialState::kPaused, 0.5, 3);
  add(history, TrialState::kPaused, 0.7, 3);
  CHECK_FALSE(std::get<Suggestion>(ask(history)).resume_trial);  // too few to tell
  add(history, TrialState::kPaused, 0.6, 3);
  const auto promoted = std::get<Suggestion>(ask(history));
  CHECK(promoted.resume_trial == 2);
  CHECK(promoted.note.find("place 1 of 3") != std::string::npos);

  for (const double value : {0.8, 0.9, 0.95}) add(history, TrialState::kPaused, value, 9);
  CHECK(std::get<Suggestion>(ask(history)).resume_trial == 6);
}

TEST_CASE("When no trial may begin, those that wait go on while they lead, and the study ends after them") {
  const auto strategy = with_promotions(std::make_unique<RandomStrategy>(cube(2)), pausing(27), maximize());
  const auto ask = [&](History history) {
    history.may_begin = false;
    Rng rng(1, 1);
    return strategy->suggest(history, rng);
  };
  History history{maximize(), {}};
  add(history, TrialState::kPaused, 0.5, 3);
  add(history, TrialState::kPaused, 0.4, 3);
  CHECK(std::get<Suggestion>(ask(history)).resume_trial == 1);
  History running = history;
  add(running, TrialState::kRunning, 0.1, 1);
  CHECK(std::holds_alternative<Wait>(ask(running)));
  add(history, TrialState::kCompleted, 0.45, 27);
  CHECK(std::get<Suggestion>(ask(history)).resume_trial == 1);
  add(history, TrialState::kCompleted, 0.55, 27);
  CHECK(std::holds_alternative<Exhausted>(ask(history)));
}

TEST_CASE("The rule auto runs probes to their ends, and leaves a rung out whose order misleads") {
  EarlyStopping spec = asha(27);
  spec.rule = "auto";
  const History history = stopped_at_first_rung({0.1, 0.2, 0.3, 0.4, 0.5});
  CHECK(judge(spec, history, 0.0, 3, 6).action == Action::kStop);
  CHECK(judge(spec, history, 0.0, 3, 16).action == Action::kGoOn);

  History reversed = history;
  for (int i = 0; i < 6; ++i) {
    TrialView trial = flat(reversed.next_number(), TrialState::kCompleted, 0.1 * i, 27);
    trial.curve.back().value = 1 - 0.1 * i;
    trial.values = {1 - 0.1 * i};
    for (MetricPoint& point : trial.curve)
      if (point.step < 27) point.value = 0.1 * i;
    reversed.trials.push_back(std::make_shared<const TrialView>(trial));
  }
  CHECK(judge(spec, reversed, 0.0, 3, 70).action == Action::kGoOn);
  CHECK(judge(asha(27), reversed, 0.0, 3, 70).action == Action::kStop);
}

TEST_CASE(
    "The rule auto judges every trial at every rung where it pauses, and has probes where none can pause") {
  EarlyStopping spec = pausing(27);
  spec.rule = "auto";
  spec.reduction_factor = 3;
  History history = stopped_at_first_rung({0.1, 0.2, 0.3, 0.4, 0.5});
  CHECK(judge(spec, history, 0.0, 3, 6).action == Action::kPause);
  CHECK(judge(spec, history, 0.0, 3, 16).action == Action::kPause);
  history.can_pause = false;
  CHECK(judge(spec, history, 0.0, 3, 6).action == Action::kStop);
  CHECK(judge(spec, history, 0.0, 3, 16).action == Action::kGoOn);
}

TEST_CASE("Trials that were paused before the length of a training was known go on to its first rung") {
  const auto strategy = with_promotions(std::make_unique<RandomStrategy>(cube(2)), pausing(6), maximize());
  History history{maximize(), {}};
  add(history, TrialState::kCompleted, 0.9, 60);  // rungs at steps 7 and 20
  add(history, TrialState::kPaused, 0.8, 1);
  Rng rng(1, 1);
  const auto suggestion = std::get<Suggestion>(strategy->suggest(history, rng));
  CHECK(suggestion.resume_trial == 2);
  CHECK(suggestion.note.find("below the first rung, which is at step 7 now") != std::string::npos);
}

TEST_CASE("A length that a trial does not have says nothing of the others") {
  EarlyStopping spec;
  spec.rule = "asha";
  spec.max_step_parameter = "epochs";
  History history{maximize(), {}};
  add(history, TrialState::kCompleted, 0.5, 9);  // its epochs are not active
  TrialView other = flat(2, TrialState::kCompleted, 0.5, 9);
  other.parameters["epochs"] = 9;
  history.trials.push_back(std::make_shared<const TrialView>(other));
  CHECK(Rungs(spec, maximize()).full_steps(other.parameters, history) == 9);
  CHECK_FALSE(Rungs(spec, maximize()).full_steps({}, history));
}
