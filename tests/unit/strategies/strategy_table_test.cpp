#include <algorithm>
#include <cmath>

#include "conformance/sample_spaces.h"
#include "strategies/strategy.h"
#include "support/catch.h"
#include "tuner/core/error.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

StrategySpec named(const std::string& name, std::vector<ParameterSet> try_first = {}) {
  StrategySpec spec;
  spec.name = name;
  spec.try_first = std::move(try_first);
  return spec;
}

}  // namespace

TEST_CASE("A strategy that does not exist is refused with the names that do") {
  try {
    make_strategy(named("bayes"), cube(1), minimize(), 1);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kBadSpec);
    CHECK(error.hint().find("bayesian") != std::string::npos);
  }
}

TEST_CASE("auto names in its note the strategy that it takes and why") {
  const auto note = [](const SearchSpace& space, const History& history) {
    Rng rng(1);
    const Answer answer = make_strategy(named("auto"), space, minimize(), 1)->suggest(history, rng);
    const auto& suggestion = std::get<Suggestion>(answer);
    CHECK(suggestion.note.find(suggestion.choice + ", since " + suggestion.choice_reason + "; ") == 0);
    return suggestion.note;
  };
  const History none{minimize(), {}};
  CHECK(note(cube(2), none).find("auto takes bayesian, since ") == 0);
  CHECK(note(cube(121), none).find("auto takes tpe, since the space is wide") == 0);
  CHECK(note(cube(2), completed_history(cube(2), minimize(), 1501, 1))
            .find("auto takes tpe, since there are more") == 0);
  History crowd{minimize(), {}};
  Rng rng(2);
  for (int i = 0; i < 65; ++i) add_trial(crowd, random_point(cube(2), rng), TrialState::kRunning);
  CHECK(note(cube(2), crowd).find("auto takes tpe, since 65 trials are pending") == 0);
}

TEST_CASE("A point of try_first names no strategy that would have been taken") {
  Rng rng(1);
  const Answer answer =
      make_strategy(named("auto", {{{"x0", 0.5}}}), cube(1), minimize(), 1)->suggest({minimize(), {}}, rng);
  CHECK(std::get<Suggestion>(answer).choice.empty());
  CHECK(std::get<Suggestion>(answer).brief == "from try_first");
}

TEST_CASE("A value of try_first that its parameter does not take is refused with its place") {
  const SearchSpace space({number("x", 0, 1)});
  CHECK_THROWS_AS(make_strategy(named("random", {{{"x", 2.0}}}), space, minimize(), 1), Error);
  try {
    make_strategy(named("random", {{}, {{"y", 0.5}}}), space, minimize(), 1);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("try_first[1]") != std::string::npos);
    CHECK(std::string(error.what()).find("\"y\"") != std::string::npos);
  }
}

TEST_CASE("A value of try_first that activates a parameter gets one for it too") {
  const SearchSpace space({choice("c", {"a", "b"}), when(whole("n", 1, 9), "c", {"b"})});
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto strategy = make_strategy(named("random", {{{"c", "b"}}}), space, minimize(), seed);
    History history{minimize(), {}};
    Rng rng(seed, 1);
    const auto suggestion = std::get<Suggestion>(strategy->suggest(history, rng));
    CHECK(suggestion.parameters.at("c") == "b");
    CHECK_FALSE(space.objection(suggestion.parameters).has_value());
    CHECK(suggestion.note == "from try_first; the strategy chose n");
  }
}

TEST_CASE("Several points of try_first come in their order, each with what its conditions ask for") {
  const SearchSpace space({choice("optimizer", {"adam", "sgd", "lion"}),
                           when(choice("nesterov", {true, false}), "optimizer", {"sgd"}),
                           when(number("damping", 0, 1), "nesterov", {false}),
                           when(whole("warmup", 0, 100), "optimizer", {"adam", "lion"})});
  const std::vector<ParameterSet> points = {
      {{"damping", 0.25}},                        // needs nesterov false, which needs sgd
      {{"warmup", 7}},                            // adam or lion will do
      {{"optimizer", "adam"}, {"warmup", 9}},     // complete
      {{"optimizer", "sgd"}, {"nesterov", true}}  // complete, without damping
  };
  for (const char* name : {"random", "sobol", "bayesian"}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(name, seed);
      const auto strategy = make_strategy(named(name, points), space, minimize(), seed);
      History history{minimize(), {}};
      std::vector<Suggestion> taken;
      for (std::size_t i = 0; i < points.size(); ++i) {
        Rng rng(seed, i + 1);
        taken.push_back(std::get<Suggestion>(strategy->suggest(history, rng)));
        CHECK_FALSE(space.objection(taken[i].parameters).has_value());
        for (const auto& [parameter, value] : points[i]) CHECK(taken[i].parameters.at(parameter) == value);
        add_trial(history, taken[i].parameters, TrialState::kCompleted, {0.5});
      }
      CHECK(taken[0].note == "from try_first; which needs nesterov, optimizer");
      CHECK(taken[0].parameters.at("optimizer") == "sgd");
      CHECK(taken[2].note == "from try_first");
      CHECK(taken[3].parameters.size() == 2);
    }
  }
}

TEST_CASE("Whole numbers of try_first become what their parameter writes") {
  const SearchSpace space({number("x", 0, 4)});
  const auto strategy = make_strategy(named("random", {{{"x", 1}}}), space, minimize(), 1);
  History history{minimize(), {}};
  Rng rng(1, 1);
  CHECK(std::get<Suggestion>(strategy->suggest(history, rng)).parameters.at("x").is_number_float());
}

TEST_CASE("A grid goes on after try_first without repeating its points") {
  const SearchSpace space({whole("n", 1, 3)});
  const auto strategy = make_strategy(named("grid", {{{"n", 2}}}), space, minimize(), 1);
  History history{minimize(), {}};
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    Rng rng(1, static_cast<std::uint64_t>(i));
    const auto suggestion = std::get<Suggestion>(strategy->suggest(history, rng));
    order.push_back(suggestion.parameters.at("n").get<int>());
    add_trial(history, suggestion.parameters, TrialState::kCompleted, {1});
  }
  CHECK(order == std::vector<int>{2, 1, 3});
  Rng rng(1, 4);
  CHECK(std::holds_alternative<Exhausted>(strategy->suggest(history, rng)));
}

TEST_CASE("Random values follow the parameter's scale") {
  const SearchSpace space({number("lr", 1e-4, 1, Scale::kLog)});
  const auto strategy = make_strategy(named("random"), space, minimize(), 1);
  int below = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    Rng rng(1, i);
    const Answer answer = strategy->suggest({minimize(), {}}, rng);
    below += std::get<Suggestion>(answer).parameters.at("lr").get<double>() < 1e-2 ? 1 : 0;
  }
  CHECK(below == Approx(1000).margin(100));
}

TEST_CASE("Sobol takes the point of the trial's number and says where direction numbers end") {
  const auto strategy = make_strategy(named("sobol"), cube(257), minimize(), 1);
  History history{minimize(), {}};
  Rng rng(1, 1);
  CHECK(std::get<Suggestion>(strategy->suggest(history, rng)).note.find("256th") != std::string::npos);
  // Eight trials fall into eight different eighths of every range.
  const auto plain = make_strategy(named("sobol"), cube(4), minimize(), 1);
  std::vector<std::vector<int>> eighths(4);
  for (int i = 0; i < 8; ++i) {
    const auto point = std::get<Suggestion>(plain->suggest(history, rng)).parameters;
    for (std::size_t d = 0; d < 4; ++d)
      eighths[d].push_back(static_cast<int>(8 * point.at("x" + std::to_string(d)).get<double>()));
    add_trial(history, point, TrialState::kFailed);
  }
  for (auto& seen : eighths) {
    std::sort(seen.begin(), seen.end());
    CHECK(seen == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  }
}
