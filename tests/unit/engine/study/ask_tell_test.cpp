#include "tuner/engine/study/ask_tell.h"
#include "strategies/strategy.h"

#include <limits>
#include <set>
#include <utility>

#include "unit/engine/loop/loop_fixture.h"

namespace tune::engine {
namespace {

using strategies::Answer;
using strategies::Suggestion;

Spec sample_spec() {
  Spec spec;
  spec.study = "s";
  spec.objective = {"loss", Goal::kMinimize, Reduce::kBest};
  spec.space = SearchSpace({tests::float_parameter("x", 0, 1)});
  spec.limits.trials = 10;
  return spec;
}

store::StudyStore memory_store(const Spec& spec) {
  store::StudyStore store(":memory:", store::OpenMode::kCreate);
  store::StudyRow row;
  row.name = spec.study;
  row.spec = Json::object();
  row.folder = "/";
  row.objective = spec.objective;
  row.seed = 4;
  row.state = store::StudyState::kRunning;
  store.create_study(row);
  return store;
}

Answer tenth(const History& history, Rng&) {
  Suggestion suggestion;
  suggestion.parameters["x"] = 0.1 * history.next_number();
  return suggestion;
}

struct Fixture {
  explicit Fixture(tests::ScriptedStrategy::Function function = tenth,
                   tests::ScriptedRule::Function rule_function = {})
      : strategy(std::move(function)), rule(std::move(rule_function)), store(memory_store(spec)) {}
  AskTell session() {
    return AskTell({spec, 4, strategy, rule, clock, &store,
                    [this](const std::string& notice) { notices.push_back(notice); }});
  }
  Spec spec = sample_spec();
  tests::ScriptedStrategy strategy;
  tests::ScriptedRule rule;
  ManualClock clock;
  store::StudyStore store;
  std::vector<std::string> notices;
};

Told told(int trial, double value) {
  Told told;
  told.trial = trial;
  told.values = {value};
  return told;
}

TEST_CASE("trials that are asked for, and their ends, are in the store before they are answered") {
  Fixture fixture;
  AskTell session = fixture.session();
  REQUIRE(session.ask(3).trials.size() == 3);
  CHECK(fixture.store.trial_count() == 3);
  CHECK(fixture.store.trial(2)->state == TrialState::kRunning);
  session.report(1, std::nullopt, 0.5);
  session.report(1, std::nullopt, std::numeric_limits<double>::quiet_NaN());
  CHECK(fixture.store.curve(1, "loss").size() == 2);
  session.tell(told(1, 0.25));
  session.tell({2, TrialState::kFailed, {}, "oom"});
  session.tell({3, TrialState::kFailed, {}, "the robot fell"});
  CHECK(fixture.store.trial(1)->values == std::vector<double>{0.25});
  CHECK(fixture.store.trial(2)->failure == "oom");
  CHECK(fixture.store.trial(3)->failure == "crash");
  CHECK(fixture.store.trial(3)->reason == "the robot fell");
  const auto events = fixture.store.events();
  REQUIRE(events.size() == 7);
  CHECK(events[0].kind == "trial_queued");
  CHECK(events[3].kind == "trial_finished");
  CHECK(events[4].kind == "best");
}

TEST_CASE("a session over a store goes on where the last one ended, however it ended") {
  Fixture fixture;
  fixture.spec.limits.time = Milliseconds(100'000);
  {
    AskTell session = fixture.session();
    session.ask(2);
    session.report(2, 1, 0.4);
    fixture.clock.advance(Milliseconds(30'000));
    session.tell(told(1, 0.3));
    fixture.clock.advance(Milliseconds(30'000));  // not told: nobody recorded it
  }
  AskTell session = fixture.session();
  const auto pending = session.pending();
  REQUIRE(pending.size() == 1);
  CHECK(pending[0].trial == 2);
  CHECK(pending[0].parameters.at("x") == 0.1 * 2);
  REQUIRE(session.best() != nullptr);
  CHECK(session.best()->number == 1);
  CHECK(session.ask(1).trials.at(0).trial == 3);
  session.tell({2, TrialState::kStopped, {}, "slow"});
  CHECK(fixture.store.trial(2)->values == std::vector<double>{0.4});
  fixture.clock.advance(Milliseconds(70'000));
  CHECK(session.ask(1).kind == Asked::Kind::kExhausted);
  session.close();
  CHECK(fixture.store.study().state == store::StudyState::kInterrupted);
  session.tell(told(3, 1));
  session.close();
  CHECK(fixture.store.study().state == store::StudyState::kFinished);
  CHECK(fixture.store.study().finish_reason == "time limit");
}

TEST_CASE("a paused trial is told, and open again when the strategy resumes it") {
  Fixture fixture([](const History& history, Rng& rng) -> Answer {
    if (history.trials.empty()) return tenth(history, rng);
    if (history.trials[0]->state != TrialState::kPaused) return strategies::Wait{};
    Suggestion suggestion;
    suggestion.resume_trial = 1;
    suggestion.budget = 0.5;
    return suggestion;
  });
  AskTell session = fixture.session();
  REQUIRE(session.ask(1).trials.size() == 1);
  CHECK(session.ask(1).kind == Asked::Kind::kWait);
  session.tell({1, TrialState::kPaused, {0.7}, ""});
  CHECK(session.pending().empty());
  CHECK_THROWS_AS(session.tell(told(1, 0.7)), Error);
  const Asked again = session.ask(1);
  REQUIRE(again.trials.size() == 1);
  CHECK(again.trials[0].trial == 1);
  CHECK(again.trials[0].is_resumed);
  CHECK(again.trials[0].budget == 0.5);
  CHECK(again.trials[0].parameters.at("x") == 0.1);
  AskTell reloaded = fixture.session();
  REQUIRE(reloaded.pending().size() == 1);
  CHECK(reloaded.pending()[0].budget == 0.5);
  // Whoever goes on with it knows that there is something to go on from.
  CHECK(reloaded.pending()[0].is_resumed);
  CHECK(session.pending()[0].is_resumed);
  session.tell(told(1, 0.2));
  CHECK(session.best()->number == 1);
  // Nothing is left that it could wait for.
  CHECK(session.ask(1).kind == Asked::Kind::kExhausted);
}

TEST_CASE("trials that were begun before the store could not be written are answered, and the rest is not") {
  const tests::ScratchFolder folder;
  const Fixture parts;
  const store::StoreSettings hasty{Durability::kProcess, Milliseconds(1)};
  store::StudyStore store(folder.path() / "study.db", store::OpenMode::kCreate, hasty);
  store.create_study(parts.store.study());
  store::StudyStore other(folder.path() / "study.db", store::OpenMode::kWrite, hasty);
  std::optional<store::StudyStore::Transaction> held;
  bool was_held = false;
  tests::ScriptedStrategy strategy([&](const History& history, Rng& rng) {
    if (history.next_number() == 3 && !std::exchange(was_held, true)) held.emplace(other);
    return tenth(history, rng);
  });
  tests::ScriptedRule rule;
  AskTell session({parts.spec, 4, strategy, rule, parts.clock, &store, {}});
  CHECK(session.ask(5).trials.size() == 2);
  CHECK(session.pending().size() == 2);
  held.reset();
  // The next ask goes on where that one ended.
  const Asked rest = session.ask(1);
  REQUIRE(rest.trials.size() == 1);
  CHECK(rest.trials[0].trial == 3);
}

TEST_CASE("how long a step takes is known to the strategy, and kept when the trial ends") {
  double seen = 0;
  Fixture fixture([&](const History& history, Rng& rng) -> Answer {
    if (!history.trials.empty()) seen = history.trials[0]->step_seconds;
    return tenth(history, rng);
  });
  AskTell session = fixture.session();
  session.ask(1);
  session.report(1, 4, 0.5, 8.0);
  session.ask(1);
  CHECK(seen == 2);
  session.tell(told(1, 0.5));
  CHECK(fixture.store.load_history().trials[0]->step_seconds == 2);
}

TEST_CASE("a strategy that throws gives a random point and a notice, as in a search that launches trials") {
  Fixture fixture([](const History&, Rng&) -> Answer { throw std::runtime_error("no matrix"); });
  AskTell session = fixture.session();
  const Asked asked = session.ask(1);
  REQUIRE(asked.trials.size() == 1);
  Rng rng(4, 1);
  CHECK(asked.trials[0].parameters.at("x") == rng.uniform());
  REQUIRE(fixture.notices.size() == 1);
  CHECK(fixture.notices[0].find("no matrix") != std::string::npos);
}

TEST_CASE("the stop rule sees the trial with its newest point, and the others as they are") {
  std::vector<std::size_t> seen;
  Fixture fixture(tenth, [&](const TrialView& trial, const History& history) {
    seen.push_back(trial.curve.size());
    CHECK(history.trials.size() == 2);
    return strategies::Verdict{strategies::Action::kPause, "enough for now"};
  });
  AskTell session = fixture.session();
  session.ask(2);
  CHECK(session.report(1, 5, 0.5).action == strategies::Action::kPause);
  CHECK(session.report(1, 7, 0.5).reason == "enough for now");
  // An earlier step is no news to judge.
  CHECK(session.report(1, 6, 0.5).action == strategies::Action::kGoOn);
  CHECK(seen == std::vector<std::size_t>{1, 2});
}

TEST_CASE("a space that is used up is announced once, before its first repeat") {
  Spec spec = sample_spec();
  Parameter parameter = tests::float_parameter("x", 1, 3);
  parameter.type = ParameterType::kInt;
  spec.space = SearchSpace({parameter});
  for (const char* name : {"auto", "tpe"}) {
    spec.strategy.name = name;
    const auto strategy = strategies::make_strategy(spec.strategy, spec.space, spec.objective, 4);
    Fixture fixture;
    AskTell session({spec, 4, *strategy, fixture.rule, fixture.clock, nullptr,
                     [&](const std::string& notice) { fixture.notices.push_back(notice); }});
    const Asked all = session.ask(3);
    std::set<int> values;
    for (const AskedTrial& trial : all.trials) values.insert(trial.parameters.at("x").get<int>());
    CHECK(values.size() == 3);
    CHECK(fixture.notices.empty());
    session.ask(4);
    REQUIRE(fixture.notices.size() == 1);
    CHECK(fixture.notices[0].starts_with("every point of the space has been tried: from trial 4 on"));
  }
}

TEST_CASE("an added trial is stored with the others, and the numbers go on behind it") {
  Fixture fixture;
  AskTell session = fixture.session();
  session.ask(1);
  CHECK(session.add({{"x", 1}}).trial == 2);
  session.tell(told(2, 0.125));
  CHECK(session.ask(1).trials.at(0).trial == 3);
  const auto stored = fixture.store.trial(2);
  REQUIRE(stored.has_value());
  CHECK(stored->parameters.at("x").is_number_float());
  CHECK(stored->note == "added by the caller");
  CHECK(stored->values == std::vector<double>{0.125});
  CHECK_THROWS_AS(session.add({{"y", 1}}), Error);
  CHECK_THROWS_AS(session.add({}), Error);
}

TEST_CASE("replicates are asked for once the trials are all told, and the best is the one that holds") {
  Spec spec = sample_spec();
  spec.limits.trials = 3;
  spec.replicates = Replicates{.top = 2, .seeds = 2};
  const auto strategy =
      strategies::make_study_strategy({"random", 4, {}}, spec.space, {}, spec.replicates, spec.objective, 4);
  store::StudyStore store = memory_store(spec);
  tests::ScriptedRule rule;
  const ManualClock clock;
  const AskTell::Parts parts{spec, 4, *strategy, rule, clock, &store, {}};
  {
    AskTell session(parts);
    REQUIRE(session.ask(5).trials.size() == 3);
    CHECK(session.ask(1).kind == Asked::Kind::kWait);  // they run, and may be the best
    session.tell(told(1, 0.2));
    session.tell(told(2, 0.9));
    session.tell(told(3, 0.21));
    CHECK(session.best()->number == 1);
    CHECK_FALSE(session.over_seeds(1).has_value());
    const Asked asked = session.ask(2);
    REQUIRE(asked.trials.size() == 2);
    CHECK(asked.trials[0].replicate_of == 1);
    CHECK(asked.trials[1].replicate_of == 3);
    CHECK(asked.trials[1].parameters == store.trial(3)->parameters);
    CHECK(store.trial(5)->facts.replicate_of == 3);
    session.tell(told(4, 0.5));
    session.close();
    CHECK(store.study().state == store::StudyState::kInterrupted);
  }
  // The program that asks has died: the open one is there, and the others come.
  AskTell session(parts);
  REQUIRE(session.pending().size() == 1);
  CHECK(session.pending()[0].replicate_of == 3);
  session.tell(told(5, 0.2));
  const Asked asked = session.ask(5);
  REQUIRE(asked.trials.size() == 2);
  session.tell(told(6, 0.5));
  session.tell(told(7, 0.22));
  CHECK(session.ask(1).kind == Asked::Kind::kExhausted);
  CHECK(session.best()->number == 3);
  CHECK(session.over_seeds(3)->fresh == std::vector<double>{0.2, 0.22});
  session.close();
  CHECK(store.study().state == store::StudyState::kFinished);
  CHECK(store.study().finish_reason == "trial limit");
}

TEST_CASE("a caller who wants fewer trials than the limit gets no replicates before the search has ended") {
  Spec spec = sample_spec();
  spec.replicates = Replicates{.top = 1, .seeds = 1};
  const auto strategy =
      strategies::make_study_strategy({"random", 4, {}}, spec.space, {}, spec.replicates, spec.objective, 4);
  tests::ScriptedRule rule;
  const ManualClock clock;
  AskTell session({spec, 4, *strategy, rule, clock, nullptr, {}});
  REQUIRE(session.ask(1, 1).trials.size() == 1);
  session.tell(told(1, 0.2));
  CHECK(session.ask(1, 1).kind == Asked::Kind::kExhausted);
  CHECK(session.ask(1).trials.at(0).replicate_of == std::nullopt);
}

}  // namespace
}  // namespace tune::engine
