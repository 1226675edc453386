// What every strategy of the table has to hold, whatever it is. A new one inherits all of it.
#include <cmath>
#include <set>

#include "conformance/sample_spaces.h"
#include "strategies/strategy.h"
#include "support/catch.h"

namespace {

using namespace tune;
using namespace tune::tests;
using strategies::Answer;
using strategies::Exhausted;
using strategies::make_strategy;
using strategies::Strategy;
using strategies::Suggestion;

constexpr std::uint64_t kSeed = 20240607;

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const auto& entry : strategies::strategy_table()) names.emplace_back(entry.name);
  return names;
}

// The space as a strategy can search it: a grid needs levels for what is continuous.
SearchSpace searchable(const SearchSpace& space, const std::string& strategy) {
  if (strategy != "grid") return space;
  std::vector<Parameter> parameters = space.parameters();
  for (Parameter& parameter : parameters)
    if (parameter.cardinality() == 0) parameter.levels = 7;
  return SearchSpace(std::move(parameters));
}

std::unique_ptr<Strategy> make(const std::string& name, const SearchSpace& space, const Objective& objective,
                               std::uint64_t seed = kSeed) {
  StrategySpec spec;
  spec.name = name;
  return make_strategy(spec, searchable(space, name), objective, seed);
}

Answer ask(Strategy& strategy, const History& history, std::uint64_t seed = kSeed) {
  Rng rng(seed, static_cast<std::uint64_t>(history.next_number()));
  return strategy.suggest(history, rng);
}

// The answer's point, which has to be one of the space; empty for Wait and Exhausted.
ParameterSet checked_point(const SearchSpace& space, const Answer& answer) {
  const auto* suggestion = std::get_if<Suggestion>(&answer);
  if (!suggestion) return {};
  const auto objection = space.objection(suggestion->parameters);
  INFO(objection.value_or("a point of the space"));
  REQUIRE_FALSE(objection.has_value());
  REQUIRE(suggestion->budget > 0);
  REQUIRE(suggestion->budget <= 1);
  REQUIRE_FALSE(suggestion->note.empty());
  return suggestion->parameters;
}

// A fresh strategy has to say what one that has been asked before says, point and note.
void check_fresh_agrees(const std::string& name, const SearchSpace& space, const Objective& objective,
                        const History& history, const Answer& answer) {
  const Answer again = ask(*make(name, space, objective), history);
  REQUIRE(again.index() == answer.index());
  const auto* first = std::get_if<Suggestion>(&answer);
  if (!first) return;
  const auto& second = std::get<Suggestion>(again);
  REQUIRE(Json(second.parameters) == Json(first->parameters));
  REQUIRE(second.note == first->note);
}

double bowl(const SearchSpace& space, const ParameterSet& point) {
  double sum = 0;
  for (const double u : space.to_unit(point)) sum += (u - 0.4) * (u - 0.4);
  return sum;
}

}  // namespace

TEST_CASE("Every strategy of the table has a description and can be made by its name") {
  REQUIRE(all_names().size() >= 5);
  for (const auto& entry : strategies::strategy_table()) {
    CHECK(std::string(entry.description).size() > 10);
    CHECK(make(entry.name, mixed_space(), minimize()) != nullptr);
  }
}

TEST_CASE("A whole search stays in the space and can be resumed at every trial by any strategy") {
  const std::string name = GENERATE(from_range(all_names()));
  const bool maximizing = GENERATE(false, true);
  INFO(name);
  const Objective objective = maximizing ? maximize() : minimize();
  for (const SearchSpace& space : {mixed_space(), cube(2)}) {
    const auto strategy = make(name, space, objective);
    History history{objective, {}};
    for (int n = 1; n <= 24; ++n) {
      const Answer answer = ask(*strategy, history);
      const ParameterSet point = checked_point(space, answer);
      REQUIRE(std::holds_alternative<Suggestion>(answer));
      check_fresh_agrees(name, space, objective, history, answer);
      add_trial(history, point, TrialState::kCompleted, {(maximizing ? -1 : 1) * bowl(space, point)});
    }
  }
}

TEST_CASE("A whole search for a front stays in the space and can be resumed at every trial by any strategy") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  const SearchSpace space = mixed_space();
  const auto strategy = make(name, space, minimize());
  History history{minimize(), {}};
  history.second = maximize();
  for (int n = 1; n <= 20; ++n) {
    const Answer answer = ask(*strategy, history);
    const ParameterSet point = checked_point(space, answer);
    REQUIRE(std::holds_alternative<Suggestion>(answer));
    check_fresh_agrees(name, space, minimize(), history, answer);
    const double value = bowl(space, point);
    // Every fourth trial waits for its end.
    if (n % 4 == 0)
      add_trial(history, point, TrialState::kRunning);
    else
      add_trial(history, point, TrialState::kCompleted, {value, value + space.to_unit(point)[0]});
  }
}

TEST_CASE("Trials that end out of order leave every strategy resumable") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  const SearchSpace space = mixed_space();
  const auto strategy = make(name, space, minimize());
  History history{minimize(), {}};
  Rng order(5);
  for (int n = 1; n <= 30; ++n) {
    const Answer answer = ask(*strategy, history);
    check_fresh_agrees(name, space, minimize(), history, answer);
    add_trial(history, checked_point(space, answer), TrialState::kRunning);
    if (n < 4) continue;
    for (std::size_t ended = order.below(3); ended-- > 0;) {
      auto& chosen = history.trials[order.below(history.trials.size())];
      if (chosen->state != TrialState::kRunning) continue;
      auto trial = std::make_shared<TrialView>(*chosen);
      trial->state = order.below(4) == 0 ? TrialState::kFailed : TrialState::kCompleted;
      if (trial->state == TrialState::kCompleted) trial->values = {bowl(space, trial->parameters)};
      chosen = std::move(trial);
    }
  }
}

TEST_CASE("No history makes a strategy throw or leave the space") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  const SearchSpace space = mixed_space();
  const auto strategy = make(name, space, minimize());
  const auto survive = [&](const History& one) {
    for (const History& history : {one, with_second(one)}) {
      const Answer answer = ask(*strategy, history);
      checked_point(space, answer);
      check_fresh_agrees(name, space, minimize(), history, answer);
    }
  };
  SECTION("trials of every state, curves with NaN and infinities") {
    for (const int trials : {1, 2, 5, 17, 60}) survive(turbulent_history(space, minimize(), trials, 11));
  }
  SECTION("nothing but failures") {
    History history{minimize(), {}};
    Rng rng(3);
    for (int i = 0; i < 40; ++i) add_trial(history, random_point(space, rng), TrialState::kFailed);
    survive(history);
  }
  SECTION("nothing but pending trials") {
    History history{minimize(), {}};
    Rng rng(3);
    for (int i = 0; i < 40; ++i) add_trial(history, random_point(space, rng), TrialState::kRunning);
    survive(history);
  }
  SECTION("equal values everywhere") {
    History history{minimize(), {}};
    Rng rng(3);
    for (int i = 0; i < 30; ++i) add_trial(history, random_point(space, rng), TrialState::kCompleted, {0.5});
    survive(history);
  }
  SECTION("one point over and over, with equal and with different values") {
    Rng rng(3);
    const ParameterSet point = random_point(space, rng);
    for (const double spread : {0.0, 1.0}) {
      History history{minimize(), {}};
      for (int i = 0; i < 40; ++i) add_trial(history, point, TrialState::kCompleted, {spread * rng.normal()});
      survive(history);
    }
  }
  SECTION("values of absurd magnitude") {
    History history{minimize(), {}};
    Rng rng(3);
    const double values[] = {1e308, -1e308, 1e-308, 0, 1, 1e20};
    for (int i = 0; i < 30; ++i)
      add_trial(history, random_point(space, rng), TrialState::kCompleted, {values[rng.below(6)]});
    survive(history);
  }
  SECTION("values that are not finite, although histories should not hold them") {
    History history{minimize(), {}};
    Rng rng(3);
    for (int i = 0; i < 20; ++i) {
      const double value = i % 3 == 0   ? std::numeric_limits<double>::quiet_NaN()
                           : i % 3 == 1 ? INFINITY
                                        : 1.0 + i;
      add_trial(history, random_point(space, rng), TrialState::kCompleted, {value});
    }
    survive(history);
  }
  SECTION("points that are none of this space") {
    History history{minimize(), {}};
    for (int i = 0; i < 12; ++i) {
      add_trial(history, {{"learning_rate", "high"}, {"unknown", i}}, TrialState::kCompleted, {1.0 * i});
      add_trial(history, {}, TrialState::kCompleted, {1.0});
    }
    survive(history);
  }
}

TEST_CASE("Points a hair apart do not break any strategy") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  const SearchSpace space = cube(3);
  History history{minimize(), {}};
  for (int i = 0; i < 60; ++i) {
    Rng rng(9, static_cast<std::uint64_t>(i));
    ParameterSet point;
    for (const auto& parameter : space.parameters()) point[parameter.name] = 0.5 + 1e-9 * rng.uniform();
    add_trial(history, point, TrialState::kCompleted, {rng.normal()});
  }
  const Answer answer = ask(*make(name, space, minimize()), history);
  checked_point(space, answer);
  check_fresh_agrees(name, space, minimize(), history, answer);
}

TEST_CASE("Hundreds of trials and many dimensions are searched by every strategy") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  SECTION("200 trials of mixed parameters") {
    const SearchSpace space = mixed_space();
    const History history = completed_history(space, minimize(), 200, 1);
    checked_point(space, ask(*make(name, space, minimize()), history));
  }
  SECTION("500 trials in six dimensions") {
    const SearchSpace space = cube(6);
    const History history = completed_history(space, minimize(), 500, 2);
    checked_point(space, ask(*make(name, space, minimize()), history));
  }
  SECTION("twelve and three hundred dimensions") {
    for (const int dimensions : {12, 300}) {
      const SearchSpace space = cube(dimensions);
      const History history = completed_history(space, maximize(), 20, 3);
      checked_point(space, ask(*make(name, space, maximize()), history));
    }
  }
}

TEST_CASE("Every kind of parameter alone, and beside one of a single value, survives every kind of history") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  std::vector<Parameter> kinds = mixed_space().parameters();
  kinds.push_back(whole("many", 1, 1e6, Scale::kLog));
  for (Parameter& kind : kinds) {
    kind.when.clear();
    INFO(kind.name);
    const SearchSpace space({kind, whole("single", 3, 3)});
    const auto strategy = make(name, space, minimize());
    const auto survive = [&](const History& history) {
      const Answer answer = ask(*strategy, history);
      checked_point(space, answer);
      check_fresh_agrees(name, space, minimize(), history, answer);
    };
    survive(turbulent_history(space, minimize(), 40, 7));
    History history{minimize(), {}};
    Rng rng(3);
    // Duplicates with equal values, with failures and with what is not a number between them.
    for (int i = 0; i < 40; ++i) {
      const ParameterSet point = i % 4 == 0 ? random_point(space, rng) : history.trials.back()->parameters;
      const bool fails = i % 3 == 2;
      const double value = i % 5 == 4 ? std::numeric_limits<double>::quiet_NaN() : 1.0;
      add_trial(history, point, fails ? TrialState::kFailed : TrialState::kCompleted,
                fails ? std::vector<double>{} : std::vector<double>{value});
    }
    survive(history);
  }
}

TEST_CASE("Five hundred mixed trials of which a third failed, half at points a hair apart, are no obstacle") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  const SearchSpace space = mixed_space();
  History history{minimize(), {}};
  Rng centre_draw(8);
  const std::vector<double> centre = space.to_unit(random_point(space, centre_draw));
  for (int i = 0; i < 500; ++i) {
    Rng rng(13, static_cast<std::uint64_t>(i));
    std::vector<double> unit = centre;
    for (double& u : unit) u = i % 2 == 0 ? rng.uniform() : u + 1e-9 * rng.normal();
    const ParameterSet point = space.from_unit(unit);
    const bool fails = point.at("learning_rate").get<double>() > 1e-3 || i % 9 == 0;
    add_trial(history, point, fails ? TrialState::kFailed : TrialState::kCompleted,
              fails ? std::vector<double>{} : std::vector<double>{bowl(space, point)});
  }
  const Answer answer = ask(*make(name, space, minimize()), history);
  checked_point(space, answer);
  check_fresh_agrees(name, space, minimize(), history, answer);
}

TEST_CASE("A space of one point, of single values and of no parameters is answered by every strategy") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  const std::vector<SearchSpace> spaces = {
      SearchSpace({number("x", 2, 2), whole("n", 3, 3), choice("c", {"only"})}),
      SearchSpace({number("x", 0, 1), whole("n", 3, 3), when(number("y", 0, 1), "n", {3})}),
      SearchSpace(std::vector<Parameter>{})};
  for (const SearchSpace& space : spaces) {
    const auto strategy = make(name, space, minimize());
    History history{minimize(), {}};
    for (int n = 0; n < 12; ++n) {
      const Answer answer = ask(*strategy, history);
      if (!std::holds_alternative<Suggestion>(answer)) break;
      const ParameterSet point = checked_point(space, answer);
      add_trial(history, point, TrialState::kCompleted, {1.0 * n});
    }
    REQUIRE_FALSE(history.trials.empty());
  }
}

TEST_CASE("A small discrete space is no obstacle once every point of it has been tried") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  const SearchSpace space({whole("n", 1, 3), choice("c", {"a", "b"}), when(whole("m", 0, 1), "c", {"a"})});
  const auto strategy = make(name, space, minimize());
  History history{minimize(), {}};
  for (int n = 0; n < 14; ++n) {
    const Answer answer = ask(*strategy, history);
    if (std::holds_alternative<Exhausted>(answer)) break;
    const ParameterSet point = checked_point(space, answer);
    add_trial(history, point, TrialState::kCompleted, {bowl(space, point)});
  }
  REQUIRE(history.trials.size() >= space.cardinality());
}

TEST_CASE("Another seed gives another search, except to the grid") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  const SearchSpace space = cube(3);
  const History history = completed_history(space, minimize(), 12, 4);
  // Some begin in the centre, whatever the seed: so from the second trial on.
  for (const History& h : {completed_history(space, minimize(), 1, 4), history}) {
    const auto one = checked_point(space, ask(*make(name, space, minimize(), 1), h, 1));
    const auto two = checked_point(space, ask(*make(name, space, minimize(), 2), h, 2));
    CHECK((Json(one) == Json(two)) == (name == "grid"));
  }
}

TEST_CASE(
    "Points of try_first come first in any strategy and are filled and cleaned where they are partial") {
  const std::string name = GENERATE(from_range(all_names()));
  INFO(name);
  const SearchSpace space = searchable(mixed_space(), name);
  StrategySpec spec;
  spec.name = name;
  spec.try_first = {{{"learning_rate", 0.01}, {"optimizer", "adam"}},
                    {{"batch_size", 16}, {"optimizer", "sgd"}, {"warmup", 5}},
                    {}};
  const auto strategy = make_strategy(spec, space, minimize(), kSeed);
  History history{minimize(), {}};
  for (std::size_t n = 0; n < 5; ++n) {
    const Answer answer = ask(*strategy, history);
    const ParameterSet point = checked_point(space, answer);
    const std::string& note = std::get<Suggestion>(answer).note;
    CHECK((note.find("from try_first") == 0) == (n < 3));
    if (n == 0) {
      CHECK(point.at("learning_rate") == 0.01);
      CHECK(point.at("optimizer") == "adam");
    }
    if (n == 1) {
      CHECK(point.at("batch_size") == 16);
      CHECK_FALSE(point.contains("warmup"));
      CHECK(note.find("warmup") != std::string::npos);
    }
    const auto fresh = make_strategy(spec, space, minimize(), kSeed);
    CHECK(Json(checked_point(space, ask(*fresh, history))) == Json(point));
    add_trial(history, point, TrialState::kCompleted, {bowl(space, point)});
  }
}
