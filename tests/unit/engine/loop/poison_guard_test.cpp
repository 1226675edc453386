#include "tuner/engine/loop/poison_guard.h"
#include "tuner/engine/attempt/attempt_log.h"

#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using engine::PoisonGuard;

// A study whose trials end one after the other.
struct Ends {
  explicit Ends(int at_once = 1) : running(at_once) {}

  int begin(ParameterSet parameters) {
    auto view = std::make_shared<TrialView>();
    view->number = history.next_number();
    view->parameters = std::move(parameters);
    view->state = TrialState::kRunning;
    history.trials.push_back(view);
    guard.on_start(view->number, running);
    return view->number;
  }
  void end(int trial, TrialState state, const std::string& way, Milliseconds lasted, bool has_metrics,
           bool exited_well, bool lacks_objective = false) {
    auto view = std::make_shared<TrialView>(*history.trials[static_cast<std::size_t>(trial - 1)]);
    view->state = state;
    history.trials[static_cast<std::size_t>(trial - 1)] = view;
    guard.on_end({trial, 1, state, way, lasted, has_metrics, exited_well, lacks_objective}, history);
  }
  ParameterSet some() { return {{"x", rng.uniform()}, {"y", rng.uniform()}, {"z", rng.uniform()}}; }

  void works(int trial) { end(trial, TrialState::kCompleted, "", Milliseconds(60'000), true, true); }
  void crashes(int trial, const std::string& way = "exit code 1: no torch") {
    end(trial, TrialState::kFailed, way, Milliseconds(50), false, false);
  }
  void gives_nothing(int trial) {
    end(trial, TrialState::kFailed, "no_metric", Milliseconds(7'200'000), false, true);
  }
  void gives_another_metric(int trial) {
    end(trial, TrialState::kFailed, "no_metric", Milliseconds(7'200'000), true, true, true);
  }
  void work(int count) {
    for (int i = 0; i < count; ++i) works(begin(some()));
  }
  // How many trials with these parameters fail in a row before the guard speaks; 0 if it never does.
  template <typename Parameters>
  int fails_until_it_speaks(Parameters&& parameters, int most = 200) {
    for (int i = 1; i <= most; ++i) {
      crashes(begin(parameters()));
      if (guard.verdict()) return i;
    }
    return 0;
  }

  int running;  // at once
  PoisonGuard guard;
  History history;
  Rng rng{7, 1};
};

TEST_CASE("what differs from trial to trial in a log's line is masked") {
  using engine::masked;
  CHECK(masked("No module named 'torch'") == "No module named 'torch'");
  CHECK(masked("lr 0.5 failed") == masked("lr 1e-05 failed"));
  CHECK(masked("lr=-0.25") == masked("lr=3"));
  CHECK(masked("at 0x7f3a12 in trials/12/attempts/1") == masked("at 0x55ee01 in trials/7/attempts/2"));
  CHECK(masked("exit code 1: a") != masked("exit code 1: b"));
  CHECK(masked("").empty());
}

TEST_CASE("five trials that fail at once in the same way speak, however many worked before") {
  Ends fresh;
  CHECK(fresh.fails_until_it_speaks([&] { return fresh.some(); }) == 5);
  CHECK(fresh.guard.verdict()->row.size() == 5);
  CHECK_FALSE(fresh.guard.verdict()->is_silent);
  Ends old;
  old.work(50);
  CHECK(old.fails_until_it_speaks([&] { return old.some(); }) == 5);
  Ends young;
  young.work(2);
  CHECK(young.fails_until_it_speaks([&] { return young.some(); }) == 7);
}

TEST_CASE("slow failures and ones with metrics are no broken set-up") {
  Ends slow;
  for (int i = 0; i < 40; ++i)
    slow.end(slow.begin(slow.some()), TrialState::kFailed, "oom", Milliseconds(60'000), true, false);
  CHECK_FALSE(slow.guard.verdict());
}

TEST_CASE("a whole round without any metric speaks, whatever it lasted") {
  Ends one;
  one.gives_nothing(one.begin(one.some()));
  one.gives_nothing(one.begin(one.some()));
  CHECK_FALSE(one.guard.verdict());
  SECTION("three where fewer run at once") {
    one.gives_nothing(one.begin(one.some()));
    REQUIRE(one.guard.verdict());
    CHECK(one.guard.verdict()->is_silent);
  }
  SECTION("a crash among them belongs to it") {
    one.crashes(one.begin(one.some()));
    CHECK(one.guard.verdict());
  }
  SECTION("a trial that worked among them does not") {
    one.work(1);
    one.gives_nothing(one.begin(one.some()));
    CHECK_FALSE(one.guard.verdict());
  }
  Ends many(8);
  for (int i = 0; i < 7; ++i) many.gives_nothing(many.begin(many.some()));
  CHECK_FALSE(many.guard.verdict());
  many.gives_nothing(many.begin(many.some()));
  CHECK(many.guard.verdict());
}

TEST_CASE("a whole round without a value of the objective speaks, whatever other metrics there are") {
  Ends one;
  one.gives_another_metric(one.begin(one.some()));
  one.gives_nothing(one.begin(one.some()));
  CHECK_FALSE(one.guard.verdict());
  one.gives_another_metric(one.begin(one.some()));
  REQUIRE(one.guard.verdict());
  CHECK(one.guard.verdict()->is_silent);
  CHECK_THAT(one.guard.verdict()->reason, Catch::Matchers::Contains("without a value of the objective"));
  // Once others have given it, it takes more.
  Ends later;
  later.work(4);
  for (int i = 0; i < 3; ++i) later.gives_another_metric(later.begin(later.some()));
  CHECK_FALSE(later.guard.verdict());
}

TEST_CASE("failures at once in ways that differ are a round without any metric, too") {
  Ends mixed;
  for (int i = 0; i < 4; ++i)
    mixed.crashes(mixed.begin(mixed.some()), i % 2 == 0 ? "signal 11" : "exit code 1");
  CHECK_FALSE(mixed.guard.verdict());
  mixed.crashes(mixed.begin(mixed.some()), "signal 6");
  REQUIRE(mixed.guard.verdict());
  CHECK(mixed.guard.verdict()->is_silent);
}

TEST_CASE("the row goes by the start of trials, not by their end") {
  Ends ends(2);
  ends.work(20);
  const int before = ends.begin(ends.some());
  for (int i = 0; i < 4; ++i) ends.crashes(ends.begin(ends.some()));
  // It was started before the set-up broke, and ends well in the middle of the failures.
  ends.works(before);
  ends.crashes(ends.begin(ends.some()));
  CHECK(ends.guard.verdict());
  // One that was started among them shows that the set-up works.
  Ends other(2);
  other.work(20);
  other.crashes(other.begin(other.some()));
  const int among = other.begin(other.some());
  for (int i = 0; i < 3; ++i) other.crashes(other.begin(other.some()));
  other.works(among);
  other.crashes(other.begin(other.some()));
  CHECK_FALSE(other.guard.verdict());
}

TEST_CASE("a search in which a third of the trials fails at once is not stopped") {
  int stopped = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Ends ends;
    ends.rng = Rng(seed, 3);
    for (int i = 0; i < 100 && !ends.guard.verdict(); ++i) {
      // Two parameters decide together, so that none alone tells where trials fail.
      const ParameterSet point = ends.some();
      const int trial = ends.begin(point);
      if (point.at("x").get<double>() + point.at("y").get<double>() > 1.2)
        ends.crashes(trial, "oom");
      else
        ends.works(trial);
    }
    stopped += ends.guard.verdict().has_value();
  }
  // With five in a row as the only rule it would be about one in five.
  CHECK(stopped <= 2);
}

TEST_CASE(
    "a grid that walks through a region which cannot work is asked about late, and only if it is large") {
  Ends grid;
  for (const int batch : {8, 16, 32})
    for (int i = 0; i < 10; ++i) grid.works(grid.begin({{"batch", batch}, {"lr", i}}));
  for (int i = 0; i < 24; ++i) grid.crashes(grid.begin({{"batch", 64}, {"lr", i}}), "oom");
  CHECK_FALSE(grid.guard.verdict());
  grid.crashes(grid.begin({{"batch", 64}, {"lr", 24}}), "oom");
  CHECK(grid.guard.verdict());
  Ends optimizer;
  for (int i = 0; i < 20; ++i) optimizer.works(optimizer.begin({{"optimizer", "sgd"}, {"lr", i}}));
  CHECK(optimizer.fails_until_it_speaks([&] {
    return ParameterSet{{"optimizer", "lion"}, {"lr", 3}};
  }) == 25);
  // A parameter that none of those that worked had.
  Ends conditional;
  for (int i = 0; i < 20; ++i) conditional.works(conditional.begin({{"lr", i}}));
  CHECK(conditional.fails_until_it_speaks([&] { return ParameterSet{{"lr", 3}, {"momentum", 0.5}}; }) == 25);
}

TEST_CASE("what never ran at once asks for no longer row, and nor does what runs at once no more") {
  LoopFixture f(small_spec(50));
  f.spec.limits.parallel = 16;
  f.use(2, [](const engine::Attempt&) {
    Behaviour behaviour;
    behaviour.lasts = std::chrono::hours(2);
    return behaviour;
  });
  const engine::StudyResult result = f.run();
  CHECK(result.outcome == engine::Outcome::kPaused);
  CHECK(result.failed <= 4);

  Ends ends(8);
  for (int i = 0; i < 4; ++i) ends.gives_nothing(ends.begin(ends.some()));
  CHECK_FALSE(ends.guard.verdict());
  ends.guard.set_parallel(2);
  ends.running = 2;
  ends.gives_nothing(ends.begin(ends.some()));
  CHECK(ends.guard.verdict());
}

TEST_CASE("a study of which most failed before the cure is still looked after") {
  Ends ends;
  ends.work(5);
  for (int i = 0; i < 195; ++i) ends.crashes(ends.begin(ends.some()));
  PoisonGuard again;
  std::swap(ends.guard, again);
  CHECK(ends.fails_until_it_speaks([&] { return ends.some(); }) == 14);
}

}  // namespace
}  // namespace tune::tests
