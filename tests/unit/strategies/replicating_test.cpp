// The best trials again on other seeds: when, how often, and that the search does not notice.
#include <cmath>

#include "conformance/sample_spaces.h"
#include "strategies/replicating.h"
#include "strategies/search_rule.h"
#include "strategies/search_view.h"
#include "support/catch.h"
#include "unit/strategies/suggestions.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

constexpr Replicates kThreeTwice{.top = 3, .seeds = 2};

class Study {
 public:
  explicit Study(std::string strategy = "sobol", std::optional<Replicates> replicates = kThreeTwice)
      : space_({float_between("x", 0, 1), float_between("y", 0, 1)}), history{maximize(), {}} {
    StrategySpec spec;
    spec.name = std::move(strategy);
    strategy_ = make_study_strategy(spec, space_, {}, replicates, maximize(), 7);
  }
  // `draws`: another stream of random numbers than the next trial's own.
  Answer answer(std::optional<std::uint64_t> draws = std::nullopt) {
    Rng rng(7, draws.value_or(static_cast<std::uint64_t>(history.next_number())));
    return strategy_->suggest(history, rng);
  }
  Suggestion suggestion() { return std::get<Suggestion>(answer()); }
  // Takes the answer as the next trial, in that state.
  int add(TrialState state, std::optional<double> value = std::nullopt) {
    const Suggestion next = suggestion();
    TrialView view;
    view.number = static_cast<int>(history.trials.size()) + 1;
    view.parameters = next.parameters;
    view.replicate_of = next.replicate_of;
    for (const auto& trial : history.trials)
      view.apart_before += trial->replicate_of || trial->role == SearchRole::kRepeat;
    view.state = state;
    if (value) view.values = {*value};
    history.trials.push_back(std::make_shared<const TrialView>(std::move(view)));
    return history.trials.back()->replicate_of.value_or(0);
  }
  // A person has trial `first` repeated exactly.
  void repeat(int first, double value) {
    auto view = std::make_shared<TrialView>(*history.trials[static_cast<std::size_t>(first) - 1]);
    view->number = static_cast<int>(history.trials.size()) + 1;
    view->role = SearchRole::kRepeat;
    view->apart_before = static_cast<int>(history.repeats);
    view->values = {value};
    history.trials.push_back(std::move(view));
    ++history.repeats;
  }
  void search(const std::vector<double>& values) {
    for (const double value : values) REQUIRE(add(TrialState::kCompleted, value) == 0);
    history.may_begin = false;
  }
  void end(int trial, TrialState state, std::optional<double> value = std::nullopt) {
    auto& place = history.trials[static_cast<std::size_t>(trial) - 1];
    auto view = std::make_shared<TrialView>(*place);
    view->state = state;
    if (value) view->values = {*value};
    place = std::move(view);
  }

 private:
  static Parameter float_between(const char* name, double min, double max) {
    Parameter parameter;
    parameter.name = name;
    parameter.min = min;
    parameter.max = max;
    return parameter;
  }
  SearchSpace space_;
  std::unique_ptr<Strategy> strategy_;

 public:
  History history;
};

}  // namespace

TEST_CASE("the best trials are repeated in turn once the search has ended, and then nothing more comes") {
  Study study;
  study.search({0.1, 0.9, 0.5, 0.8, 0.2});
  const Suggestion first = study.suggestion();
  CHECK(first.replicate_of == 2);
  CHECK(first.parameters == study.history.trials[1]->parameters);
  CHECK(first.note == "replicate: trial 2 again on a fresh seed, 1 of 2");
  std::vector<int> repeated;
  for (int i = 0; i < 6; ++i) repeated.push_back(study.add(TrialState::kCompleted, i % 2 == 0 ? 0.7 : 0.6));
  CHECK(repeated == std::vector<int>{2, 4, 3, 2, 4, 3});
  CHECK(std::holds_alternative<Exhausted>(study.answer()));
}

TEST_CASE("without the setting nothing is repeated") {
  Study study("sobol", std::nullopt);
  study.search({0.1, 0.9});
  CHECK(std::holds_alternative<Exhausted>(study.answer()));
}

TEST_CASE("no replicate begins while a trial of the search runs, and the last one is waited for") {
  Study study;
  study.search({0.1, 0.9});
  study.history.may_begin = true;
  study.add(TrialState::kRunning);
  study.history.may_begin = false;
  CHECK(std::holds_alternative<Wait>(study.answer()));
  study.end(3, TrialState::kFailed);
  CHECK(study.add(TrialState::kRunning) == 2);
  CHECK(study.add(TrialState::kRunning) == 1);
  CHECK(study.add(TrialState::kRunning) == 2);
  CHECK(study.add(TrialState::kRunning) == 1);
  CHECK(std::holds_alternative<Wait>(study.answer()));
}

TEST_CASE("a candidate that is beaten gets no more seeds") {
  Study study("sobol", Replicates{3, 4});
  study.search({0.90, 0.89, 0.60, 0.1});
  CHECK(study.add(TrialState::kCompleted, 0.880) == 1);
  CHECK(study.add(TrialState::kCompleted, 0.895) == 2);
  CHECK(study.add(TrialState::kCompleted, 0.600) == 3);
  std::vector<int> repeated;
  for (int i = 0; i < 6; ++i) repeated.push_back(study.add(TrialState::kCompleted, 0.885));
  CHECK(repeated == std::vector<int>{1, 2, 1, 2, 1, 2});
  CHECK(std::holds_alternative<Exhausted>(study.answer()));
}

TEST_CASE("a replicate that fails or is stopped has had its turn") {
  Study study("sobol", Replicates{1, 3});
  study.search({0.9, 0.1});
  study.add(TrialState::kFailed);
  study.add(TrialState::kStopped, 0.2);
  study.add(TrialState::kCompleted, 0.8);
  CHECK(std::holds_alternative<Exhausted>(study.answer()));
}

TEST_CASE("two trials of the same hyperparameters are one candidate") {
  Study study("sobol", Replicates{2, 1});
  study.search({0.9, 0.8, 0.7});
  auto twin = std::make_shared<TrialView>(*study.history.trials[1]);
  twin->parameters = study.history.trials[0]->parameters;
  study.history.trials[1] = twin;
  CHECK(study.add(TrialState::kCompleted, 0.9) == 1);
  CHECK(study.add(TrialState::kCompleted, 0.9) == 3);
  CHECK(std::holds_alternative<Exhausted>(study.answer()));
}

TEST_CASE("a search that goes on after replicates suggests what it would have without them") {
  const std::string name = GENERATE("sobol", "bayesian", "tpe", "auto");
  Study with(name), without(name, std::nullopt);
  const std::vector<double> values{0.1, 0.9, 0.5, 0.8};
  with.search(values);
  without.search(values);
  for (int i = 0; i < 3; ++i)
    with.add(TrialState::kCompleted, std::vector{0.9, 0.8, 0.5}[static_cast<std::size_t>(i)]);
  with.history.may_begin = without.history.may_begin = true;
  // Designs and models are the same; a trial's random numbers follow from its number, so both get the same.
  const auto point_of = [](Study& study) { return std::get<Suggestion>(study.answer(99)).parameters; };
  CHECK(point_of(with) == point_of(without));
}

TEST_CASE("later replicates are of the new best, and keep what earlier ones have shown") {
  Study study("sobol", Replicates{1, 1});
  study.search({0.5, 0.6});
  CHECK(study.add(TrialState::kCompleted, 0.55) == 2);
  CHECK(std::holds_alternative<Exhausted>(study.answer()));
  study.history.may_begin = true;
  CHECK(study.add(TrialState::kCompleted, 0.9) == 0);
  CHECK(study.history.trials.back()->place() == 3);
  CHECK(study.history.trials.back()->number == 4);
  study.history.may_begin = false;
  CHECK(study.add(TrialState::kCompleted, 0.7) == 4);
  CHECK(std::holds_alternative<Exhausted>(study.answer()));
}

TEST_CASE("a search whose results have ended it is not asked for more, but its best trials are repeated") {
  Study study;
  study.search({0.5, 0.6});
  study.history.may_begin = true;
  study.history.is_over = true;
  CHECK(study.suggestion().replicate_of == 2);
}

TEST_CASE("the search sees a repeated trial with the mean of its values, and no replicate") {
  Study study("sobol", Replicates{1, 2});
  study.search({0.5, 0.9});
  study.add(TrialState::kCompleted, 0.6);
  study.add(TrialState::kCompleted, 0.3);
  const std::optional<History> view = with_means(study.history);
  REQUIRE(view);
  CHECK(view->next_number() == 3);
  CHECK(view->trials[1]->values[0] == Approx(0.6));
  CHECK(view->trials[0]->values[0] == 0.5);
  CHECK(study.history.trials[1]->values[0] == 0.9);
  study.history.trials.resize(2);
  CHECK_FALSE(without_repeats(study.history));
}

TEST_CASE("a repeat of a trial is no candidate, and shifts neither the means nor what is suggested") {
  Study study("sobol", Replicates{1, 1}), calm("sobol", Replicates{1, 1});
  for (Study* one : {&study, &calm}) REQUIRE(one->add(TrialState::kCompleted, 0.5) == 0);
  study.repeat(1, 0.99);
  CHECK(study.history.next_number() == calm.history.next_number());
  CHECK(study.suggestion().parameters == calm.suggestion().parameters);
  for (Study* one : {&study, &calm}) one->search({0.6});
  CHECK(study.history.trials.back()->place() == 2);
  CHECK(study.suggestion().replicate_of == 3);
  CHECK(calm.suggestion().replicate_of == 2);
  study.add(TrialState::kCompleted, 0.7);
  const std::optional<History> view = with_means(study.history);
  REQUIRE(view);
  REQUIRE(view->trials.size() == 2);
  CHECK(view->next_number() == 3);
  CHECK(view->trials[1]->values[0] == Approx(0.65));
  CHECK(view->trials[0]->values[0] == 0.5);
  CHECK_FALSE(next_replicate(study.history, Replicates{1, 1}));
}

TEST_CASE("what lies outside an amended space is not repeated, however good it was") {
  Study study("sobol", Replicates{1, 1});
  study.search({0.5, 0.9});
  auto outside = std::make_shared<TrialView>(*study.history.trials[1]);
  outside->role = SearchRole::kNothing;
  study.history.trials[1] = outside;
  CHECK(study.suggestion().replicate_of == 1);
}

TEST_CASE("a stop rule judges no replicate, and compares nobody with one") {
  struct Counting final : StopRule {
    Verdict judge(const TrialView&, const History& history) override {
      return {Action::kStop, std::to_string(history.trials.size()) + " trials"};
    }
  };
  Study study("sobol", Replicates{1, 1});
  study.search({0.5, 0.9});
  study.add(TrialState::kCompleted, 0.6);
  SearchRule rule(std::make_unique<Counting>());
  CHECK(rule.judge(*study.history.trials[2], study.history).action == Action::kGoOn);
  CHECK(rule.judge(*study.history.trials[0], study.history).reason == "2 trials");
  study.repeat(1, 0.5);
  CHECK(rule.judge(*study.history.trials[3], study.history).action == Action::kGoOn);
  CHECK(rule.judge(*study.history.trials[0], study.history).reason == "2 trials");
}
