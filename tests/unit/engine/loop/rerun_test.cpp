// Trials that repeat others, and trials that teach nothing, in the loop.
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

void enqueue_rerun(store::StudyStore& store, int first) {
  store::TrialRow row;
  row.number = store.trial_count() + 1;
  row.parameters = store.trial(first)->parameters;
  row.state = TrialState::kQueued;
  row.facts.rerun_of = first;
  store.insert_trial(row);
}

// What the strategy was shown.
struct Seen {
  int next = 0;
  std::size_t repeats = 0;
  std::vector<std::size_t> known;  // parameters of each trial
};

struct RerunFixture : LoopFixture {
  explicit RerunFixture(int trials) : LoopFixture(small_spec(trials)) {
    spec.limits.parallel = 1;
    use(1, [this](const engine::Attempt& attempt) {
      seeds[attempt.id.trial] = attempt.trial_json.at("seed");
      return prints(0.5);
    });
    strategy = std::make_unique<ScriptedStrategy>([this](const History& history, Rng& rng) {
      Seen now{history.next_number(), history.repeats, {}};
      for (const auto& trial : history.trials) now.known.push_back(trial->parameters.size());
      seen.push_back(now);
      const std::vector<double> unit = {rng.uniform(), rng.uniform()};
      return strategies::Suggestion{spec.space.from_unit(unit), 1, std::nullopt, "drawn"};
    });
  }
  std::map<int, Json> seeds;
  std::vector<Seen> seen;
};

}  // namespace

TEST_CASE("a strategy does not see what repeats a trial, and its numbers go on as if it were not there") {
  RerunFixture f(2), calm(4);
  f.run();
  calm.run();
  enqueue_rerun(f.store, 1);
  f.spec.limits.trials = 4;
  const engine::StudyResult result = f.run();
  CHECK(result.completed == 5);
  REQUIRE(f.store.trial_count() == 5);
  REQUIRE(f.seen.size() == 4);
  CHECK(f.seen[2].next == 3);
  CHECK(f.seen[2].repeats == 1);
  CHECK(f.seen[2].known == std::vector<std::size_t>{2, 2, 0});
  // The random numbers of the suggestion are those of its place in the search.
  CHECK(f.store.trial(4)->parameters == calm.store.trial(3)->parameters);
  CHECK(f.store.trial(5)->parameters == calm.store.trial(4)->parameters);
  CHECK(f.seeds.at(3) == f.seeds.at(1));
  CHECK(f.seeds.at(4) != f.seeds.at(1));
  // It is none of those that the limit counts, and shifts no place.
  f.status.events.clear();
  f.spec.limits.trials = 5;
  f.run();
  CHECK(f.status.events.at(0).message == "continues: 4 of 5 trials done");
  CHECK(f.store.load_history().trials.back()->place() == 5);
}

TEST_CASE("no rule stops what repeats a trial, and no limit by results counts it") {
  RerunFixture f(2);
  f.run();
  enqueue_rerun(f.store, 2);
  f.spec.limits.no_improvement = 2;
  f.rule = std::make_unique<ScriptedRule>([](const TrialView&, const History&) {
    return strategies::Verdict{strategies::Action::kStop, "all are stopped"};
  });
  CHECK(f.run().reason == "trial limit");
  CHECK(f.store.trial(3)->state == TrialState::kCompleted);
  CHECK(f.store.trial(3)->facts.rerun_of == 2);
}

TEST_CASE("what repeats a trial is never the best, though its result is better") {
  RerunFixture f(2);
  f.run();
  enqueue_rerun(f.store, 2);
  f.use(1, [](const engine::Attempt& attempt) { return prints(attempt.id.trial == 3 ? 0.25 : 0.375); });
  f.status.events.clear();
  f.spec.limits.trials = 3;
  const engine::StudyResult result = f.run();
  std::vector<int> best;
  for (const engine::StatusEvent& event : f.status.events)
    if (event.kind == engine::StatusKind::kBest) best.push_back(event.trial);
  REQUIRE(f.store.trial_count() == 4);
  REQUIRE(f.store.trial(3)->values == std::vector<double>{0.25});
  REQUIRE(f.store.trial(4)->values == std::vector<double>{0.375});
  CHECK(best == std::vector<int>{4});
  CHECK(result.best_trial == 4);
}

TEST_CASE("a study that goes on tells trials that were enqueued beyond its limit from those that it allows") {
  RerunFixture f(2);
  f.run();
  store::TrialRow row;
  row.number = 3;
  row.parameters = f.store.trial(1)->parameters;
  row.state = TrialState::kQueued;
  row.facts.explanation = {{"strategy", "enqueue"}};
  f.store.insert_trial(row);
  f.run();
  f.status.events.clear();
  f.run();
  CHECK(f.status.events.at(0).message == "continues: 2 of 2 trials done, 1 enqueued beyond them");
}

TEST_CASE("a strategy's explanation is written with the trial's row, and names the strategy at least") {
  LoopFixture f(small_spec(2));
  f.use(1, [](const engine::Attempt&) { return prints(0.5); });
  f.strategy = std::make_unique<ScriptedStrategy>([&](const History& history, Rng& rng) {
    const std::vector<double> unit = {rng.uniform(), rng.uniform()};
    strategies::Suggestion suggestion{f.spec.space.from_unit(unit), 1, std::nullopt, "drawn"};
    if (history.next_number() == 2) suggestion.explanation = {{"strategy", "mine"}, {"guess", 0.25}};
    return suggestion;
  });
  f.run();
  CHECK(f.store.trial(1)->facts.explanation == Json{{"strategy", "auto"}});
  CHECK(f.store.trial(2)->facts.explanation == Json{{"strategy", "mine"}, {"guess", 0.25}});
}

TEST_CASE("a deleted trial teaches nothing, and its number stays") {
  RerunFixture f(2);
  f.run();
  f.store.delete_trial(1, "ada@host", f.clock.wall_now());
  f.spec.limits.trials = 3;
  f.run();
  REQUIRE(f.store.trial_count() == 3);
  CHECK(f.seen.back().next == 3);
  CHECK(f.seen.back().repeats == 0);
  CHECK(f.seen.back().known == std::vector<std::size_t>{0, 2});
}

TEST_CASE("what a rule compared is kept with the attempt that it ended") {
  LoopFixture f(small_spec(1));
  f.use(1, [](const engine::Attempt&) {
    Behaviour behaviour = prints(0.5);
    behaviour.hangs = true;
    return behaviour;
  });
  f.rule = std::make_unique<ScriptedRule>([](const TrialView&, const History&) {
    return strategies::Verdict{strategies::Action::kStop, "too high", "", {{"value", 0.5}, {"median", 0.25}}};
  });
  f.run();
  REQUIRE(f.store.trial(1)->state == TrialState::kStopped);
  CHECK(f.store.attempts(1).at(0).facts.verdict == Json{{"value", 0.5}, {"median", 0.25}});
}

}  // namespace tune::tests
