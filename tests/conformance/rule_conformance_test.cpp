// What every early-stopping rule of the table has to hold.
#include <cmath>
#include <limits>

#include "conformance/sample_spaces.h"
#include "strategies/stop_rule.h"
#include "support/catch.h"
#include "tuner/core/error.h"

namespace {

using namespace tune;
using namespace tune::tests;
using strategies::Action;
using strategies::make_stop_rule;
using strategies::Verdict;

std::vector<std::string> all_rules() {
  std::vector<std::string> names;
  for (const auto& entry : strategies::stop_rule_table()) names.emplace_back(entry.name);
  return names;
}

EarlyStopping with_rule(const std::string& name) {
  EarlyStopping spec;
  spec.rule = name;
  return spec;
}

TrialView running(std::vector<MetricPoint> curve) {
  TrialView trial;
  trial.number = 1000;
  trial.state = TrialState::kRunning;
  trial.curve = std::move(curve);
  return trial;
}

}  // namespace

TEST_CASE("Every rule of the table has a description and can be made by its name") {
  REQUIRE(all_rules().size() >= 2);
  for (const auto& entry : strategies::stop_rule_table()) {
    CHECK(std::string(entry.description).size() > 10);
    CHECK(make_stop_rule(with_rule(entry.name), minimize()) != nullptr);
  }
}

TEST_CASE("A rule that does not exist is refused with the names that do") {
  try {
    make_stop_rule(with_rule("mediam"), minimize());
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kBadSpec);
    CHECK(error.hint().find("median") != std::string::npos);
  }
}

TEST_CASE("No rule stops the first trial, and none throws on an empty curve") {
  const std::string name = GENERATE(from_range(all_rules()));
  INFO(name);
  const History empty{minimize(), {}};
  CHECK(make_stop_rule(with_rule(name), minimize())->judge(running({{1, 1e9}}), empty).action ==
        Action::kGoOn);
  CHECK(make_stop_rule(with_rule(name), minimize())->judge(running({}), empty).action == Action::kGoOn);
}

TEST_CASE("Every verdict but going on has a reason, and a fresh rule gives the same verdict") {
  const std::string name = GENERATE(from_range(all_rules()));
  INFO(name);
  const auto rule = make_stop_rule(with_rule(name), maximize());
  const History history = turbulent_history(cube(2), maximize(), 60, 8);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {-1e308, -3.0, 0.0, 3.0, 1e308, nan, static_cast<double>(INFINITY)}) {
    for (const std::int64_t step : {1, 2, 3, 4, 5}) {
      const Verdict verdict = rule->judge(running({{step, value}}), history);
      CHECK(verdict.reason.empty() == (verdict.action == Action::kGoOn));
      const Verdict again =
          make_stop_rule(with_rule(name), maximize())->judge(running({{step, value}}), history);
      CHECK(again.action == verdict.action);
      CHECK(again.reason == verdict.reason);
    }
  }
}

TEST_CASE("A trial that is already in the history is judged as if it were not") {
  const std::string name = GENERATE(from_range(all_rules()));
  INFO(name);
  History history = turbulent_history(cube(2), minimize(), 30, 8);
  const auto rule = make_stop_rule(with_rule(name), minimize());
  TrialView trial = running({{1, 0.2}, {2, 5.0}});
  trial.number = history.next_number();
  const Verdict outside = rule->judge(trial, history);
  history.trials.push_back(std::make_shared<const TrialView>(trial));
  const Verdict inside = rule->judge(trial, history);
  CHECK(inside.action == outside.action);
  CHECK(inside.reason == outside.reason);
}
