// Studies with two objectives: what their trials' ends mean.
#include <limits>

#include "tuner/core/front.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using namespace engine;

Spec spec_of_two(int trials, const std::string& second = "latency") {
  Spec spec = small_spec(trials);
  spec.limits.parallel = 1;
  spec.second_objective = Objective{second, Goal::kMinimize, Reduce::kBest};
  spec.document["objectives"] =
      Json::array({{{"metric", "loss"}, {"goal", "minimize"}}, {{"metric", second}, {"goal", "minimize"}}});
  return spec;
}

Behaviour prints_both(double loss, double latency) {
  Behaviour behaviour;
  behaviour.lines = {{Milliseconds(10), "latency", latency, 1, false},
                     {Milliseconds(20), "loss", loss, 1, false}};
  return behaviour;
}

std::vector<std::vector<double>> values_of(LoopFixture& f) {
  std::vector<std::vector<double>> all;
  for (const store::TrialRow& trial : f.store.trials()) all.push_back(trial.values);
  return all;
}

TEST_CASE("trials have a value of each objective, and those that are new to the front are told of") {
  LoopFixture f(spec_of_two(4));
  const std::vector<std::pair<double, double>> results{{0.5, 10}, {0.6, 9}, {0.7, 11}, {0.4, 12}};
  f.use(1, [&](const Attempt& attempt) {
    const auto& [loss, latency] = results[static_cast<std::size_t>(attempt.id.trial) - 1];
    return prints_both(loss, latency);
  });
  f.run();
  CHECK(values_of(f) == std::vector<std::vector<double>>{{0.5, 10}, {0.6, 9}, {0.7, 11}, {0.4, 12}});
  std::vector<int> news;
  for (const StatusEvent& event : f.status.events)
    if (event.kind == StatusKind::kBest) news.push_back(event.trial);
  CHECK(news == std::vector<int>{1, 2, 4});
  CHECK(f.status.events.back().kind == StatusKind::kStudyFinished);
  const History history = f.store.load_history();
  REQUIRE(history.second);
  CHECK(front_of(history) == std::vector<std::size_t>{3, 0, 1});
}

TEST_CASE("a trial that prints one of two objectives has failed, and its reason names the other one") {
  LoopFixture f(spec_of_two(2));
  f.use(1, [](const Attempt& attempt) {
    Behaviour behaviour = prints_both(0.5, 10);
    behaviour.lines.erase(behaviour.lines.begin() + (attempt.id.trial == 1 ? 0 : 1));
    return behaviour;
  });
  f.run();
  const auto trials = f.store.trials();
  CHECK(trials[0].state == TrialState::kFailed);
  CHECK(trials[0].failure == "no_metric");
  CHECK(trials[0].reason == "exit code 0, but no line of its output gave \"latency\"");
  CHECK(trials[1].reason == "exit code 0, but no line of its output gave \"loss\"");
  CHECK(trials[0].values.empty());
}

TEST_CASE("a second objective that is not finite fails its trial") {
  LoopFixture f(spec_of_two(1));
  f.use(1, [](const Attempt&) { return prints_both(0.5, std::numeric_limits<double>::infinity()); });
  f.run();
  CHECK(f.store.trials()[0].failure == "non_finite");
  CHECK(f.store.trials()[0].reason == "every value of \"latency\" was NaN or infinite");
}

TEST_CASE("device_seconds is for how long a trial's attempts have held their devices in all") {
  LoopFixture f(spec_of_two(2, "device_seconds"));
  f.use(1, [](const Attempt& attempt) {
    Behaviour behaviour = prints(0.5);
    behaviour.lasts = Milliseconds(attempt.id.attempt == 1 ? 3000 : 4000);
    // The first attempt of trial 2 is lost, and it runs again.
    behaviour.without_report = attempt.id.trial == 2 && attempt.id.attempt == 1;
    return behaviour;
  });
  f.run();
  const auto trials = f.store.trials();
  REQUIRE(trials[0].values.size() == 2);
  CHECK(trials[0].values[1] == Approx(3));
  REQUIRE(trials[1].values.size() == 2);
  CHECK(trials[1].values[1] == Approx(7));
}

TEST_CASE(
    "a trial that is stopped has no device time, since it was cut short, but a latency that it printed") {
  const bool is_printed = GENERATE(false, true);
  LoopFixture f(spec_of_two(1, is_printed ? "latency" : "device_seconds"));
  f.rule = std::make_unique<ScriptedRule>([](const TrialView& trial, const History&) {
    return trial.curve.size() == 2 ? strategies::Verdict{strategies::Action::kStop, "enough"}
                                   : strategies::Verdict{};
  });
  f.use(1, [](const Attempt&) {
    Behaviour behaviour = prints_both(0.5, 10);
    behaviour.lines.push_back({Milliseconds(500), "loss", 0.4, 2, false});
    behaviour.lasts = Milliseconds(60'000);
    return behaviour;
  });
  f.run();
  const store::TrialRow trial = f.store.trials()[0];
  CHECK(trial.state == TrialState::kStopped);
  CHECK(trial.values == (is_printed ? std::vector<double>{0.4, 10} : std::vector<double>{0.4}));
}

TEST_CASE("the rule sees what a running trial has shown of its second objective") {
  LoopFixture f(spec_of_two(1));
  std::vector<MetricPoint> seen;
  f.rule = std::make_unique<ScriptedRule>([&](const TrialView& trial, const History& history) {
    CHECK(history.second.has_value());
    seen = trial.second_curve;
    return strategies::Verdict{};
  });
  f.use(1, [](const Attempt&) { return prints_both(0.5, 10); });
  f.run();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].value == 10);
}

TEST_CASE("a study with two objectives ends when no trial is new to the front") {
  Spec spec = spec_of_two(20);
  spec.limits.no_improvement = 3;
  LoopFixture f(std::move(spec));
  f.use(1, [](const Attempt& attempt) {
    // Trial 2 is worse in the first objective and better in the second; later ones are worse in both.
    return prints_both(attempt.id.trial, attempt.id.trial == 2 ? 1 : 5);
  });
  CHECK(f.run().reason == "no improvement");
  CHECK(f.store.trial_count() == 5);
}

TEST_CASE("a trial file names both objectives") {
  LoopFixture f(spec_of_two(1));
  Json document;
  f.use(1, [&](const Attempt& attempt) {
    document = attempt.trial_json;
    return prints_both(0.5, 10);
  });
  f.run();
  CHECK(document["objective"]["metric"] == "loss");
  REQUIRE(document["objectives"].size() == 2);
  CHECK(document["objectives"][1] == Json{{"metric", "latency"}, {"goal", "minimize"}, {"reduce", "best"}});
}

}  // namespace
}  // namespace tune::tests
