#include "tuner/cli/importance_text.h"
#include "tuner/live/study_importance.h"

#include "support/catch.h"
#include "tuner/core/rng.h"

namespace tune::cli {
namespace {

Parameter unit_parameter(const std::string& name) {
  Parameter parameter;
  parameter.name = name;
  parameter.min = 0;
  parameter.max = 1;
  return parameter;
}

// Trials whose accuracy depends on x alone, and whose latency on y alone.
History pair_history() {
  History history;
  history.objective = {"accuracy", Goal::kMaximize, Reduce::kBest};
  history.second = Objective{"latency", Goal::kMinimize, Reduce::kBest};
  Rng rng(7, 1);
  for (int number = 1; number <= 60; ++number) {
    TrialView view;
    view.number = number;
    const double x = rng.uniform(), y = rng.uniform();
    view.parameters = {{"x", x}, {"y", y}};
    view.state = TrialState::kCompleted;
    view.values = {x, 10 * y};
    history.trials.push_back(std::make_shared<const TrialView>(std::move(view)));
  }
  return history;
}

TEST_CASE("of two objectives each has an importance of its own", "[cli]") {
  const SearchSpace space({unit_parameter("x"), unit_parameter("y")});
  History history = pair_history();
  CHECK(live::study_importance(space, history).parameters.at(0).name == "x");
  const auto second = live::second_importance(space, history);
  REQUIRE(second.has_value());
  CHECK(second->parameters.at(0).name == "y");
  CHECK(second->parameters.at(0).share > 0.9);
  history.second.reset();
  CHECK_FALSE(live::second_importance(space, history).has_value());
}

}  // namespace
}  // namespace tune::cli
