// Trials that a person has asked for, where a study would end: they run to their ends.
#include "strategies/replicating.h"
#include "tuner/engine/loop/inbox.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using engine::StatusKind;

// Every trial prints 0.2, and the target is 0.3: the first trial reaches it.
struct TargetFixture : LoopFixture {
  explicit TargetFixture(std::optional<Replicates> replicates = {}) : LoopFixture(spec_of(replicates)) {
    go_on();
  }
  static Spec spec_of(std::optional<Replicates> replicates) {
    Spec spec = small_spec(20);
    spec.limits.target = 0.3;
    spec.replicates = replicates;
    return spec;
  }
  void go_on() {
    use(2, [this](const engine::Attempt& attempt) { return script(attempt); });
    strategy = strategies::make_study_strategy({"random", 7, {}}, spec.space, {}, spec.replicates,
                                               spec.objective, 7);
  }
  // As tune enqueue and tune rerun leave it in the store.
  int ask_for(std::optional<int> rerun_of) {
    store::TrialRow row;
    row.number = store.trial_count() + 1;
    row.parameters = {{"x", 0.5}, {"y", 0}};
    row.state = TrialState::kQueued;
    row.facts.rerun_of = rerun_of;
    row.facts.explanation = {{"strategy", rerun_of ? "rerun" : "enqueue"}};
    store.insert_trial(row);
    return row.number;
  }
  void ask_at(int trial, StatusKind kind) {
    status.hook = [this, trial, kind](const engine::StatusEvent& event) {
      if (event.kind != kind || event.trial != trial || std::exchange(has_asked, true)) return;
      engine::Inbox(folder.path())
          .send({{}, "enqueue", {{"points", {{{"x", 0.5}, {"y", 0}}}}}, "ada@host", clock.wall_now()});
    };
  }
  std::vector<int> asked_for() const {
    std::vector<int> numbers;
    for (const store::TrialRow& row : store.trials())
      if (row.facts.explanation.value("strategy", "") == "enqueue") numbers.push_back(row.number);
    return numbers;
  }
  std::function<Behaviour(const engine::Attempt&)> script = [](const engine::Attempt&) {
    return prints(0.2);
  };
  bool has_asked = false;
};

TEST_CASE("a trial that a person asked for runs to its end although the target is reached") {
  const bool is_rerun = GENERATE(true, false);
  const std::optional<Replicates> replicates =
      GENERATE(std::optional<Replicates>(), std::optional(Replicates{1, 2}));
  TargetFixture f(replicates);
  CHECK(f.run().reason == "target reached");
  const int asked = f.ask_for(is_rerun ? std::optional(1) : std::nullopt);
  f.go_on();
  CHECK(f.run().reason == "target reached");
  CHECK(f.store.trial(asked)->state == TrialState::kCompleted);
}

TEST_CASE("the search stops at its target while a trial that a person asked for goes on") {
  TargetFixture f;
  f.spec.limits.parallel = 3;
  f.script = [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(0.2);
    behaviour.lasts = attempt.id.trial == 1 ? std::chrono::minutes(5) : std::chrono::minutes(1);
    if (attempt.id.trial == 3) behaviour.hangs = true;
    return behaviour;
  };
  f.use(3, f.script);
  f.ask_for(std::nullopt);
  CHECK(f.run().reason == "target reached");
  CHECK(f.store.trial(1)->state == TrialState::kCompleted);
  CHECK(f.store.trial(3)->state == TrialState::kStopped);
  CHECK(f.store.trial(3)->reason == "target reached");
  CHECK(f.store.trial_count() == 3);
}

TEST_CASE("a request that comes while a reached target stops what runs is obeyed before the study ends") {
  TargetFixture f;
  f.spec.limits.parallel = 2;
  f.script = [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(0.2);
    behaviour.hangs = behaviour.ignores_term = attempt.id.trial == 2;  // the grace goes by
    return behaviour;
  };
  f.ask_at(1, StatusKind::kTrialFinished);
  CHECK(f.run().reason == "target reached");
  REQUIRE(f.has_asked);
  REQUIRE(f.asked_for().size() == 1);
  CHECK(f.store.trial(f.asked_for().front())->state == TrialState::kCompleted);
  CHECK(f.store.trial(2)->state == TrialState::kStopped);
}

TEST_CASE("a suggestion that waited for room on a GPU does not begin once the study's results end it") {
  Spec spec = small_spec(20);
  spec.limits.no_improvement = 1;
  spec.resources.packs_gpus = true;
  LoopFixture f(spec);
  f.use(2, [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(attempt.id.trial == 1 ? 0.2 : 0.5);
    behaviour.lasts = std::chrono::minutes(1);
    return behaviour;
  });
  // Beside one that runs there is room for some trial, though not for the one that is suggested.
  bool seems_free = true;
  f.runner->room = [&](std::optional<std::uint64_t>) {
    const bool is_free = f.runner->live() == 0;
    return std::exchange(seems_free, is_free) || is_free;
  };
  CHECK(f.run().reason == "no improvement");
  CHECK(f.store.trial_count() == 2);
}

}  // namespace
}  // namespace tune::tests
