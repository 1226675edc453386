#include "strategies/importance.h"

#include <cmath>
#include <functional>
#include <limits>

#include "conformance/sample_spaces.h"
#include "support/catch.h"
#include "unit/strategies/suggestions.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace importance_tests {
namespace {

using Function = std::function<double(const ParameterSet&)>;

History evaluated(const SearchSpace& space, int trials, const Function& function) {
  History history{minimize(), {}};
  for (int i = 0; i < trials; ++i) {
    Rng rng(17, static_cast<std::uint64_t>(i));
    ParameterSet point = random_point(space, rng);
    const double value = function(point);
    add_trial(history, std::move(point), TrialState::kCompleted, {value});
  }
  return history;
}

double share(const Importance& importance, const std::string& name) {
  for (const ParameterImportance& parameter : importance.parameters)
    if (parameter.name == name) return parameter.share;
  FAIL("no share of " << name);
  return 0;
}

}  // namespace

TEST_CASE("The shares of an additive function are those of its terms' variances") {
  // Uniform terms: variances 9/12, 4/12 and 0.
  const Importance found = importance(cube(3), evaluated(cube(3), 300, [](const ParameterSet& point) {
                                        return 3 * at(point, "x0") - 2 * at(point, "x2");
                                      }));
  REQUIRE(found.objection.empty());
  CHECK(found.trials == 300);
  CHECK(share(found, "x0") == Approx(9.0 / 13).margin(0.06));
  CHECK(share(found, "x2") == Approx(4.0 / 13).margin(0.06));
  CHECK(share(found, "x1") < 0.01);
  CHECK(found.interactions < 0.08);
  CHECK(found.parameters.front().name == "x0");
  CHECK(found.parameters.back().name == "x1");
}

TEST_CASE("Scales and categories count as they are searched") {
  // log10(lr) is uniform on four units: variance 16/12; three categories at -1, 0 and 2: variance 14/9.
  const SearchSpace space(
      {number("lr", 1e-5, 1e-1, Scale::kLog), choice("kind", {"a", "b", "c"}), whole("layers", 1, 4)});
  const Importance found =
      importance(space, evaluated(space, 400, [](const ParameterSet& point) {
                   const std::string kind = point.at("kind");
                   return std::log10(at(point, "lr")) + (kind == "a" ? -1.0 : kind == "b" ? 0.0 : 2.0);
                 }));
  const double whole_variance = 16.0 / 12 + 14.0 / 9;
  CHECK(share(found, "lr") == Approx(16.0 / 12 / whole_variance).margin(0.06));
  CHECK(share(found, "kind") == Approx(14.0 / 9 / whole_variance).margin(0.06));
  CHECK(share(found, "layers") < 0.01);
}

TEST_CASE("What only two parameters together explain is an interaction") {
  const Importance found = importance(cube(3), evaluated(cube(3), 400, [](const ParameterSet& point) {
                                        return (at(point, "x0") < 0.5) == (at(point, "x1") < 0.5) ? 1.0 : 0.0;
                                      }));
  CHECK(found.interactions > 0.8);
  CHECK(share(found, "x2") < 0.02);
}

TEST_CASE("A conditional parameter matters only where it is active") {
  const SearchSpace space({choice("kind", {"a", "b"}), when(number("only_b", 0, 1), "kind", {"b"})});
  const auto kind_alone = importance(space, evaluated(space, 200, [](const ParameterSet& point) {
                                       return point.at("kind") == "a" ? 0.0 : 1.0;
                                     }));
  CHECK(share(kind_alone, "kind") > 0.95);
  CHECK(share(kind_alone, "only_b") < 0.01);
  // x - 1/2 in half of the space: alone it explains a quarter of that half's variance, as much as the two
  // together.
  const auto both = importance(space, evaluated(space, 400, [](const ParameterSet& point) {
                                 return point.at("kind") == "a" ? 0.0 : at(point, "only_b") - 0.5;
                               }));
  CHECK(share(both, "only_b") == Approx(0.5).margin(0.08));
  CHECK(both.interactions == Approx(0.5).margin(0.08));
}

TEST_CASE("One diverged trial does not hide what the others show") {
  History history = evaluated(cube(2), 60, [](const ParameterSet& point) { return at(point, "x0"); });
  add_trial(history, {{"x0", 0.5}, {"x1", 0.5}}, TrialState::kCompleted, {1e12});
  CHECK(share(importance(cube(2), history), "x0") > 0.6);
}

TEST_CASE("Trials without a finite value do not change the shares") {
  const Function function = [](const ParameterSet& point) { return at(point, "x0") + 0.2 * at(point, "x1"); };
  const History clean = evaluated(cube(2), 40, function);
  History with_failures = clean;
  add_trial(with_failures, {{"x0", 0.1}, {"x1", 0.1}}, TrialState::kFailed);
  add_trial(with_failures, {{"x0", 0.2}, {"x1", 0.1}}, TrialState::kStopped, {5.0});
  add_trial(with_failures, {{"x0", 0.3}, {"x1", 0.1}}, TrialState::kRunning);
  add_trial(with_failures, {{"x0", 0.4}, {"x1", 0.1}}, TrialState::kCompleted, {std::nan("")});
  add_trial(with_failures, {{"elsewhere", 1}}, TrialState::kCompleted, {3.0});
  const Importance a = importance(cube(2), clean), b = importance(cube(2), with_failures);
  REQUIRE(a.parameters.size() == 2);
  REQUIRE(b.parameters.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(a.parameters[i].name == b.parameters[i].name);
    CHECK(a.parameters[i].share == b.parameters[i].share);
  }
}

TEST_CASE("Too few trials, and equal values, are said to be so") {
  const Function constant = [](const ParameterSet&) { return 0.25; };
  const Importance few = importance(cube(2), evaluated(cube(2), 9, constant));
  CHECK(few.objection == "too few completed trials: 9 of the 10 that an estimate needs");
  CHECK(few.parameters.empty());
  CHECK(least_trials(cube(8)) == 16);
  const Importance equal = importance(cube(2), evaluated(cube(2), 30, constant));
  CHECK(equal.objection == "every completed trial has the same value");
  const SearchSpace single({choice("only", {1})});
  CHECK_FALSE(importance(single, evaluated(single, 30, constant)).objection.empty());
}

TEST_CASE("Shares are finite and add up to one, whatever the values") {
  const SearchSpace space = mixed_space();
  for (const double scale : {1e-300, 1.0, 1e300}) {
    CAPTURE(scale);
    const Importance found =
        importance(space, evaluated(space, 60, [&](const ParameterSet& point) {
                     return scale * (at(point, "batch_size") / 64 + at(point, "momentum") - 1);
                   }));
    REQUIRE(found.objection.empty());
    double sum = found.interactions;
    for (const ParameterImportance& parameter : found.parameters) sum += parameter.share;
    CHECK(sum == Approx(1));
    CHECK(found.parameters.front().name == "batch_size");
  }
  const Importance noise = importance(space, turbulent_history(space, minimize(), 200, 3));
  for (const ParameterImportance& parameter : noise.parameters) {
    CHECK(parameter.share >= 0);
    CHECK(parameter.share <= 1);
  }
}

}  // namespace importance_tests
