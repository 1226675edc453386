#include "strategies/warm_started.h"

#include <cmath>
#include <functional>

#include "conformance/sample_spaces.h"
#include "strategies/strategy.h"
#include "support/catch.h"
#include "unit/strategies/suggestions.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace warm_started_tests {
namespace {

using Function = std::function<double(const ParameterSet&)>;

// A bowl with its bottom off the centre.
double bowl(const ParameterSet& point) {
  double sum = 0;
  for (const auto& [name, value] : point) sum += (value.get<double>() - 0.2) * (value.get<double>() - 0.2);
  return sum;
}

std::vector<EarlierTrial> study(const std::string& name, WarmStart kind, int trials, const Function& function,
                                const SearchSpace& space = cube(2)) {
  std::vector<EarlierTrial> result;
  for (int i = 0; i < trials; ++i) {
    Rng rng(23, static_cast<std::uint64_t>(i));
    auto view = std::make_shared<TrialView>();
    view->number = i + 1;
    view->parameters = random_point(space, rng);
    view->state = TrialState::kCompleted;
    view->values = {function(view->parameters)};
    result.push_back({name, kind, std::move(view)});
  }
  return result;
}

History with_earlier(std::vector<EarlierTrial> earlier) {
  History history{minimize(), {}};
  history.earlier = std::make_shared<const std::vector<EarlierTrial>>(std::move(earlier));
  return history;
}

void add_own(History& history, int trials, const Function& function) {
  for (int i = 0; i < trials; ++i) {
    Rng rng(99, static_cast<std::uint64_t>(history.next_number()));
    ParameterSet point = random_point(cube(2), rng);
    const double value = function(point);
    add_trial(history, std::move(point), TrialState::kCompleted, {value});
  }
}

StrategySpec strategy_named(const std::string& name) {
  StrategySpec spec;
  spec.name = name;
  return spec;
}

// The values of a search's first trials.
std::vector<double> searched(const std::string& strategy_name, History history, int trials,
                             const Function& function) {
  const auto strategy = make_strategy(strategy_named(strategy_name), cube(2), minimize(), 5);
  std::vector<double> values;
  for (int i = 0; i < trials; ++i) {
    Rng rng(5, static_cast<std::uint64_t>(history.next_number()));
    ParameterSet point = std::get<Suggestion>(strategy->suggest(history, rng)).parameters;
    values.push_back(function(point));
    add_trial(history, std::move(point), TrialState::kCompleted, {values.back()});
  }
  return values;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("Trials of an identical study are taken as they are, failed ones too") {
  std::vector<EarlierTrial> earlier = study("a", WarmStart::kIdentical, 3, bowl);
  auto failed = std::make_shared<TrialView>(*earlier[1].trial);
  failed->state = TrialState::kFailed;
  failed->values.clear();
  earlier[1].trial = failed;
  const History history = with_earlier(earlier);
  EarlierPool pool(cube(2), Goal::kMinimize);
  const auto pooled = pool.pool(history);
  REQUIRE(pooled.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(pooled[i] == history.earlier->at(i).trial);
}

TEST_CASE("Transferred values come in this study's units, whatever the scale of the earlier one") {
  const auto pooled_from = [](const Function& theirs) {
    History history = with_earlier(study("a", WarmStart::kTransfer, 40, theirs));
    add_own(history, 9, bowl);
    EarlierPool pool(cube(2), Goal::kMinimize);
    return pool.pool(history);
  };
  const auto plain = pooled_from(bowl);
  const auto stretched = pooled_from([](const ParameterSet& p) { return 1000 * bowl(p) - 50; });
  const auto bent = pooled_from([](const ParameterSet& p) { return std::exp(20 * bowl(p)); });
  REQUIRE(plain.size() > 10);
  REQUIRE(stretched.size() == plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i)
    CHECK(stretched[i]->values[0] == Approx(plain[i]->values[0]).margin(1e-9));
  // The bowl's own values, which are what was never seen, come out near.
  for (const auto& trial : plain) CHECK(trial->values[0] == Approx(bowl(trial->parameters)).margin(0.15));
  for (const auto& a : bent)
    for (const auto& b : bent)
      CHECK((bowl(a->parameters) < bowl(b->parameters) || a->values[0] >= b->values[0]));
}

TEST_CASE("When more is better the best transferred trial stays the best") {
  const Function hill = [](const ParameterSet& p) { return 1 - bowl(p); };
  History history = with_earlier(study("a", WarmStart::kTransfer, 40, hill));
  history.objective = maximize();
  add_own(history, 5, hill);
  EarlierPool pool(cube(2), Goal::kMaximize);
  const auto pooled = pool.pool(history);
  REQUIRE(pooled.size() > 5);
  const TrialView* best = pooled.front().get();
  for (const auto& trial : pooled)
    if (trial->values[0] > best->values[0]) best = trial.get();
  for (const auto& trial : pooled) CHECK(hill(best->parameters) >= hill(trial->parameters));
}

TEST_CASE("A related study counts less with every own result, and a misleading one soon not at all") {
  const auto taken = [](const Function& theirs, int own) {
    History history = with_earlier(study("a", WarmStart::kTransfer, 40, theirs));
    add_own(history, own, bowl);
    EarlierPool pool(cube(2), Goal::kMinimize);
    return pool.pool(history).size();
  };
  const Function opposite = [](const ParameterSet& p) { return -bowl(p); };
  CHECK(taken(bowl, 0) == 40);
  CHECK(taken(bowl, 8) < 40);
  CHECK(taken(bowl, 8) >= 20);
  CHECK(taken(bowl, 64) < taken(bowl, 16));
  CHECK(taken(opposite, 0) == 40);
  CHECK(taken(opposite, 4) <= 8);
  CHECK(taken(opposite, 8) == 0);
}

TEST_CASE("Equal, few and huge earlier values are no trouble") {
  const Function functions[] = {[](const ParameterSet&) { return 3.0; },
                                [](const ParameterSet& p) { return 1e308 * (at(p, "x0") - 0.5); }};
  for (const Function& theirs : functions) {
    for (const int trials : {1, 2, 30}) {
      for (const int own : {0, 1, 2, 20}) {
        History history = with_earlier(study("a", WarmStart::kTransfer, trials, theirs));
        add_own(history, own, theirs);
        EarlierPool pool(cube(2), Goal::kMinimize);
        for (const auto& trial : pool.pool(history)) CHECK(std::isfinite(trial->values[0]));
      }
    }
  }
}

TEST_CASE("The best point of each earlier study is tried first, by every strategy, once") {
  std::vector<EarlierTrial> earlier = study("a", WarmStart::kTransfer, 10, bowl);
  for (const EarlierTrial& trial : study("b", WarmStart::kTransfer, 10, bowl)) earlier.push_back(trial);
  for (const EarlierTrial& trial :
       study("c", WarmStart::kIdentical, 10, [](const ParameterSet& p) { return -bowl(p); }))
    earlier.push_back(trial);
  const auto best_of = [](const Function& function) {
    ParameterSet best;
    for (const EarlierTrial& trial : study("", WarmStart::kTransfer, 10, function))
      if (best.empty() || function(trial.trial->parameters) < function(best)) best = trial.trial->parameters;
    return best;
  };
  for (const char* name : {"random", "sobol", "bayesian", "auto"}) {
    CAPTURE(name);
    StrategySpec spec = strategy_named(name);
    spec.try_first = {{{"x0", 0.5}}};
    const auto strategy = make_strategy(spec, cube(2), minimize(), 1);
    History history = with_earlier(earlier);
    std::vector<ParameterSet> points;
    for (int i = 0; i < 4; ++i) {
      Rng rng(1, static_cast<std::uint64_t>(i + 1));
      points.push_back(std::get<Suggestion>(strategy->suggest(history, rng)).parameters);
      add_trial(history, points.back(), TrialState::kCompleted, {bowl(points.back())});
    }
    CHECK(points[0].at("x0") == 0.5);
    CHECK(points[1] == best_of(bowl));
    CHECK(points[2] == best_of([](const ParameterSet& p) { return -bowl(p); }));
    CHECK(points[3] != points[1]);
  }
}

TEST_CASE("A warm-started search is in the good region at once") {
  for (const WarmStart kind : {WarmStart::kIdentical, WarmStart::kTransfer}) {
    for (const char* name : {"bayesian", "auto"}) {
      CAPTURE(to_string(kind), name);
      const Function theirs = [&](const ParameterSet& p) {
        return kind == WarmStart::kIdentical ? bowl(p) : 300 * bowl(p) + 7;
      };
      const std::vector<double> warm = searched(name, with_earlier(study("a", kind, 25, theirs)), 6, bowl);
      const std::vector<double> cold = searched(name, History{minimize(), {}}, 6, bowl);
      CHECK(mean(warm) < 0.05);
      CHECK(mean(warm) < mean(cold) / 2);
    }
  }
}

TEST_CASE("A misleading study costs little: the search finds the optimum all the same") {
  const Function far_off = [](const ParameterSet& p) {
    return std::pow(at(p, "x0") - 0.9, 2) + std::pow(at(p, "x1") - 0.9, 2);
  };
  const std::vector<double> values =
      searched("bayesian", with_earlier(study("a", WarmStart::kTransfer, 25, far_off)), 20, bowl);
  CHECK(*std::min_element(values.begin(), values.end()) < 0.01);
}

TEST_CASE(
    "Every strategy stays in a conditional space whatever the earlier trials hold, and repeats itself") {
  const SearchSpace space = mixed_space();
  std::vector<EarlierTrial> earlier;
  for (const auto& trial : turbulent_history(space, minimize(), 60, 8).trials) {
    if (!is_finished(trial->state)) continue;
    const bool even = trial->number % 2 == 0;
    earlier.push_back({even ? "even" : "odd", even ? WarmStart::kIdentical : WarmStart::kTransfer, trial});
  }
  History history = turbulent_history(space, minimize(), 12, 4);
  history.earlier = std::make_shared<const std::vector<EarlierTrial>>(earlier);
  for (const StrategyEntry& entry : strategy_table()) {
    if (std::string(entry.name) == "grid") continue;  // the space is continuous
    CAPTURE(entry.name);
    const auto first = make_strategy(strategy_named(entry.name), space, minimize(), 2);
    History grown = history;
    for (int i = 0; i < 3; ++i) {
      const auto number = static_cast<std::uint64_t>(grown.next_number());
      Rng rng(2, number), again(2, number);
      const auto suggestion = std::get<Suggestion>(first->suggest(grown, rng));
      CHECK_FALSE(space.objection(suggestion.parameters).has_value());
      // One that has seen nothing before answers the same.
      const auto fresh = make_strategy(strategy_named(entry.name), space, minimize(), 2);
      CHECK(std::get<Suggestion>(fresh->suggest(grown, again)).parameters == suggestion.parameters);
      add_trial(grown, suggestion.parameters, TrialState::kCompleted, {0.1 * i});
    }
  }
}

TEST_CASE("A small space that the earlier study has walked can be walked again") {
  const SearchSpace space({choice("c", {"a", "b", "c"}), whole("n", 1, 2)});
  const Function size = [](const ParameterSet& p) { return p.at("n").get<double>(); };
  const auto strategy = make_strategy(strategy_named("grid"), space, minimize(), 1);
  History history = with_earlier(study("a", WarmStart::kTransfer, 30, size, space));
  int points = 0;
  for (; points < 10; ++points) {
    Rng rng(1, static_cast<std::uint64_t>(points + 1));
    const Answer answer = strategy->suggest(history, rng);
    const auto* suggestion = std::get_if<Suggestion>(&answer);
    if (suggestion == nullptr) break;
    add_trial(history, suggestion->parameters, TrialState::kCompleted, {size(suggestion->parameters)});
  }
  CHECK(points == 6);
}

}  // namespace warm_started_tests
