// Replicates in the loop: the best trials again on fresh seeds, beside the limits, through deaths and
// resumes.
#include <map>

#include "strategies/replicating.h"
#include "tuner/engine/loop/inbox.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using engine::Outcome;

// The loss that a trial prints: x, but for what the test says.
struct ReplicateFixture : LoopFixture {
  explicit ReplicateFixture(int trials, Replicates replicates = {.top = 2, .seeds = 2},
                            const Limits& others = {})
      : LoopFixture(spec_of(trials, replicates, others)) {
    use(2, [this](const engine::Attempt& attempt) { return behaviour(attempt); });
    renew();
  }
  static Spec spec_of(int trials, Replicates replicates, const Limits& others) {
    Spec spec = small_spec(trials);
    const auto kept = spec.limits;
    spec.limits = others;
    spec.limits.trials = kept.trials;
    spec.limits.parallel = 1;
    spec.replicates = replicates;
    return spec;
  }
  Behaviour behaviour(const engine::Attempt& attempt) const {
    const auto given = losses.find(attempt.id.trial);
    const double x = attempt.trial_json["parameters"]["x"].get<double>();
    Behaviour answer = prints(given == losses.end() ? x : given->second);
    answer.lasts = lasts;
    return answer;
  }
  // As the next run of the program has it.
  void renew() {
    strategy = strategies::make_study_strategy({"random", 7, {}}, spec.space, spec.early_stopping,
                                               spec.replicates, spec.objective, 7);
  }
  std::map<int, int> repeated() const {
    std::map<int, int> counts;
    for (const store::TrialRow& row : store.trials())
      if (row.facts.replicate_of) ++counts[*row.facts.replicate_of];
    return counts;
  }
  int said(const std::string& text) const {
    int count = 0;
    for (const auto& event : status.events) count += event.message.find(text) != std::string::npos;
    return count;
  }
  std::map<int, double> losses;
  Milliseconds lasts{100};
};

const std::map<int, double> kFour{{1, 0.5}, {2, 0.2}, {3, 0.4}, {4, 0.21}};

}  // namespace

TEST_CASE("the best trials run again on seeds of their own, beside the limit of trials") {
  ReplicateFixture f(4);
  f.losses = kFour;
  for (const int trial : {5, 7}) f.losses[trial] = 0.4;   // of trial 2, which was lucky
  for (const int trial : {6, 8}) f.losses[trial] = 0.22;  // of trial 4
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(result.reason == "trial limit");
  CHECK(f.store.trial_count() == 8);
  CHECK(f.repeated() == std::map<int, int>{{2, 2}, {4, 2}});
  CHECK(f.store.trial(5)->parameters == f.store.trial(2)->parameters);
  CHECK(f.store.trial(5)->facts.replicate_of == 2);
  std::set<std::int64_t> seeds;
  for (const engine::Attempt& attempt : f.runner->started)
    seeds.insert(attempt.trial_json["seed"].get<std::int64_t>());
  CHECK(seeds.size() == 8);
  CHECK(result.best_trial == 4);
  CHECK(f.status.count(engine::StatusKind::kBest) == 2);
  CHECK(f.said("the search has ended: its best 2 trials run again, on up to 2 fresh seeds each") == 1);
  CHECK(f.said("trial 4 is the best: mean loss 0.") == 1);
  CHECK(f.said("the best first value, 0.2 of trial 2, owed 0.2 to luck") == 1);
}

TEST_CASE("replicates that were cut short by the death of the program go on, and none is repeated") {
  ReplicateFixture calm(4);
  calm.losses = kFour;
  calm.run();
  for (int dies_at = 5; dies_at <= 8; ++dies_at) {
    CAPTURE(dies_at);
    ReplicateFixture f(4);
    f.losses = kFour;
    f.runner->on_start = [&](const engine::Attempt& attempt) {
      if (attempt.id.trial == dies_at) throw OrchestratorGone();
    };
    CHECK_THROWS_AS(f.run(), OrchestratorGone);
    f.runner->orchestrator_dies([](AttemptId) { return true; });
    f.use(1, [&](const engine::Attempt& attempt) { return f.behaviour(attempt); });
    f.renew();
    const auto result = f.run();
    CHECK(result.reason == "trial limit");
    REQUIRE(f.store.trial_count() == calm.store.trial_count());
    for (int trial = 1; trial <= f.store.trial_count(); ++trial) {
      CHECK(f.store.trial(trial)->facts == calm.store.trial(trial)->facts);
      CHECK(f.store.trial(trial)->values == calm.store.trial(trial)->values);
    }
  }
}

TEST_CASE("a raised limit of trials goes on with the search, and repeats the new best") {
  ReplicateFixture f(3, {.top = 1, .seeds = 2});
  f.losses = {{1, 0.5}, {2, 0.2}, {3, 0.4}, {4, 0.25}, {5, 0.25}, {6, 0.6}, {7, 0.1}, {8, 0.11}, {9, 0.11}};
  CHECK(f.run().reason == "trial limit");
  CHECK(f.repeated() == std::map<int, int>{{2, 2}});
  f.spec.limits.trials = 5;
  f.use(1, [&](const engine::Attempt& attempt) { return f.behaviour(attempt); });
  f.renew();
  CHECK(f.run().best_trial == 7);
  CHECK(f.store.trial_count() == 9);
  CHECK(f.repeated() == std::map<int, int>{{2, 2}, {7, 2}});
  CHECK(f.said("continues: 3 of 5 trials done, and 2 replicates") == 1);
  CHECK(f.store.trial(6)->facts.replicate_of == std::nullopt);
}

TEST_CASE("a target ends the search and stops what runs of it, and the best are repeated all the same") {
  Limits limits;
  limits.target = 0.25;
  ReplicateFixture f(20, {.top = 1, .seeds = 2}, limits);
  f.spec.limits.parallel = 2;
  f.use(2, [&](const engine::Attempt& attempt) {
    Behaviour answer = f.behaviour(attempt);
    if (attempt.id.trial == 2) answer.hangs = true;
    return answer;
  });
  f.losses = {{1, 0.5}, {3, 0.2}, {4, 0.3}, {5, 0.3}, {6, 0.3}};
  CHECK(f.run().reason == "target reached");
  CHECK(f.store.trial(2)->state == TrialState::kStopped);
  CHECK(f.store.trial(2)->reason == "target reached");
  CHECK(f.store.trial_count() == 5);
  CHECK(f.repeated() == std::map<int, int>{{3, 2}});
}

TEST_CASE("replicates neither bring an improvement nor lack one") {
  Limits limits;
  limits.no_improvement = 2;
  ReplicateFixture f(20, {.top = 1, .seeds = 3}, limits);
  f.losses = {{1, 0.3}, {2, 0.4}, {3, 0.4}, {4, 0.1}, {5, 0.1}, {6, 0.1}};
  const auto result = f.run();
  CHECK(result.reason == "no improvement");
  CHECK(f.store.trial_count() == 6);
  CHECK(f.repeated() == std::map<int, int>{{1, 3}});
  CHECK(result.best_trial == 1);
}

TEST_CASE("a study whose time runs out says that its replicates had no room, and goes on with more time") {
  Limits limits;
  limits.time = Milliseconds(5'500);
  ReplicateFixture f(3, {.top = 1, .seeds = 4}, limits);
  f.lasts = Milliseconds(1'000);
  f.losses = {{1, 0.3}, {2, 0.4}, {3, 0.4}};
  CHECK(f.run().reason == "time limit");
  CHECK(f.repeated() == std::map<int, int>{{1, 3}});
  CHECK(f.said("the time limit left no room for all replicates") == 1);
  f.spec.limits.time = std::chrono::hours(1);
  f.use(1, [&](const engine::Attempt& attempt) { return f.behaviour(attempt); });
  f.renew();
  CHECK(f.run().reason == "trial limit");
  CHECK(f.repeated() == std::map<int, int>{{1, 4}});
}

TEST_CASE("a converged search does not begin again when its replicates are cut short") {
  Limits limits;
  limits.convergence = 0.01;
  ReplicateFixture f(20, {.top = 1, .seeds = 2}, limits);
  f.losses = {{1, 0.3}};
  const auto drawn = [&f](const History& history, Rng& rng) -> strategies::Answer {
    if (!history.is_over) {
      strategies::Suggestion suggestion{f.spec.space.from_unit(std::vector{rng.uniform(), 0.5}), 1,
                                        std::nullopt, "drawn"};
      suggestion.expected_gain = 1e-9;
      return suggestion;
    }
    if (const auto next = strategies::next_replicate(history, *f.spec.replicates)) return *next;
    return strategies::Exhausted{};
  };
  f.strategy = std::make_unique<ScriptedStrategy>(drawn);
  bool dies = true;
  f.runner->on_start = [&](const engine::Attempt& attempt) {
    if (dies && f.store.trial(attempt.id.trial)->facts.replicate_of) throw OrchestratorGone();
  };
  CHECK_THROWS_AS(f.run(), OrchestratorGone);
  const int searched = f.store.trial_count() - 1;
  dies = false;
  f.use(1, [&](const engine::Attempt& attempt) { return f.behaviour(attempt); });
  f.strategy = std::make_unique<ScriptedStrategy>(drawn);
  CHECK(f.run().reason == "converged");
  CHECK(f.store.trial_count() == searched + 2);
}

TEST_CASE("a replicate of an earlier run hides no new best trial") {
  ReplicateFixture f(2, {.top = 1, .seeds = 1});
  f.losses = {{1, 0.5}, {2, 0.4}, {3, 0.1}, {4, 0.3}, {5, 0.3}};  // trial 3 is a replicate
  f.run();
  const auto before = f.status.count(engine::StatusKind::kBest);
  f.spec.limits.trials = 3;
  f.use(1, [&](const engine::Attempt& attempt) { return f.behaviour(attempt); });
  f.renew();
  f.run();
  REQUIRE(f.store.trial(3)->facts.replicate_of == 2);
  CHECK(f.status.count(engine::StatusKind::kBest) == before + 1);
}

TEST_CASE("a search that its limit ended goes on when the limit is raised among its replicates") {
  Limits limits;
  limits.convergence = 0.01;
  ReplicateFixture f(3, {.top = 1, .seeds = 2}, limits);
  f.runner->on_start = [&](const engine::Attempt& attempt) {
    if (attempt.id.trial == 5) throw OrchestratorGone();
  };
  CHECK_THROWS_AS(f.run(), OrchestratorGone);
  REQUIRE(f.store.trial(5)->facts.replicate_of);
  CHECK(f.store.study().facts.search_end == "trial limit");
  f.runner->orchestrator_dies([](AttemptId) { return true; });
  f.spec.limits.trials = 6;
  f.use(1, [&](const engine::Attempt& attempt) { return f.behaviour(attempt); });
  f.renew();
  CHECK(f.run().reason == "trial limit");
  int searched = 0;
  for (const store::TrialRow& row : f.store.trials()) searched += !row.facts.replicate_of;
  CHECK(searched == 6);
}

TEST_CASE("the best are repeated also where the search's last trial was lost, and waits to run again") {
  ReplicateFixture f(2, {.top = 1, .seeds = 2});
  f.losses = {{1, 0.5}, {2, 0.2}};
  bool was_lost = false;
  f.use(2, [&](const engine::Attempt& attempt) {
    Behaviour behaviour = f.behaviour(attempt);
    behaviour.without_report =
        attempt.id.trial == 2 && !std::exchange(was_lost, was_lost || attempt.id.trial == 2);
    return behaviour;
  });
  f.run();
  CHECK(was_lost);
  CHECK(f.repeated() == std::map<int, int>{{2, 2}});
}

TEST_CASE("a trial that runs again exactly does not keep the best from its replicates") {
  ReplicateFixture f(3, {.top = 1, .seeds = 1});
  f.losses = {{1, 0.5}, {2, 0.4}, {3, 0.3}, {5, 0.2}};
  f.spec.replicates.reset();
  f.renew();
  f.run();
  store::TrialRow again;
  again.number = 4;
  again.parameters = f.store.trial(1)->parameters;
  again.state = TrialState::kQueued;
  again.facts.rerun_of = 1;
  f.store.insert_trial(again);
  f.spec.replicates = Replicates{.top = 1, .seeds = 1};
  f.spec.limits.trials = 4;
  f.renew();
  f.run();
  CHECK(f.repeated() == std::map<int, int>{{5, 1}});
  CHECK(f.said("is no replicate of") == 0);
}

TEST_CASE("an answer that calls itself a replicate and is none is refused") {
  ReplicateFixture f(2, {.top = 1, .seeds = 1});
  f.strategy =
      std::make_unique<ScriptedStrategy>([&f](const History& history, Rng& rng) -> strategies::Answer {
        strategies::Suggestion suggestion{f.spec.space.from_unit(std::vector{rng.uniform(), 0.5}), 1,
                                          std::nullopt, "drawn"};
        if (!history.trials.empty()) suggestion.replicate_of = 1;
        return suggestion;
      });
  f.run();
  CHECK(f.said("it is no replicate of trial 1") >= 1);
  CHECK(f.repeated().empty());
}

}  // namespace tune::tests
