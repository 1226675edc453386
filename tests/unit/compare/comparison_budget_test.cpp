// How a comparison's budget is shared out over its studies.
#include "tuner/compare/comparison_budget.h"

#include "support/catch.h"

namespace tune::compare {
namespace {

std::vector<StudyNeed> needs(std::vector<std::pair<double, double>> fixed_and_elastic) {
  std::vector<StudyNeed> all;
  for (const auto& [fixed, elastic] : fixed_and_elastic) all.push_back({"", fixed, elastic, {}});
  return all;
}

// A search, its seeds at default values and those beyond, its winner; then an approach without a search.
const std::vector<StudyNeed> kNeeds = needs({{0, 100}, {30, 70}, {30, 0}, {30, 0}});

TEST_CASE("where all fits, a study may take what nobody needs later", "[budget]") {
  // 260 and 10 for predicting are to come.
  CHECK(budget_share(kNeeds, 0, 270, 10) == Approx(100));
  CHECK(budget_share(kNeeds, 0, 300, 10) == Approx(130));
  CHECK(budget_share(kNeeds, 1, 200, 10) == Approx(30 + 70 + 30));
  CHECK(budget_share(kNeeds, 3, 55, 10) == Approx(45));
}

TEST_CASE("where it does not, searches shrink in proportion, and every seed keeps its run", "[budget]") {
  // 170 are wanted by what is elastic, and half of that is there.
  const double left = 90 + 10 + 85;
  CHECK(budget_share(kNeeds, 0, left, 10) == Approx(50));
  // It has taken that.
  CHECK(budget_share(kNeeds, 1, left - 50, 10) == Approx(30 + 35));
  CHECK(budget_share(kNeeds, 2, left - 50 - 65, 10) == Approx(30));
  CHECK(budget_share(kNeeds, 3, left - 50 - 65 - 30, 10) == Approx(30));
  // Runs that take longer than predicted do so at the cost of what is elastic, not of other runs.
  CHECK(budget_share(needs({{30, 0}, {0, 100}, {30, 0}}), 0, 80, 0) == Approx(50));
}

TEST_CASE("where not even the runs for each seed fit, they share what there is", "[budget]") {
  CHECK(budget_share(kNeeds, 0, 50, 10) == 0);
  CHECK(budget_share(kNeeds, 1, 50, 10) == Approx(50 * 30.0 / 100));
  CHECK(budget_share(kNeeds, 3, 20, 10) == Approx(20 * 30.0 / 40));
  CHECK(budget_share(kNeeds, 3, -5, 10) == 0);
  CHECK(budget_share(needs({{0, 0}}), 0, 7, 0) == 7);
}

TEST_CASE(
    "a comparison that keeps to its shares spends no more than there is, and leaves nothing that is needed",
    "[budget]") {
  for (const double budget : {5.0, 60.0, 99.0, 101.0, 150.0, 269.0, 270.0, 400.0}) {
    CAPTURE(budget);
    double left = budget, wanted = 10;
    for (const StudyNeed& need : kNeeds) wanted += need.fixed + need.elastic;
    for (std::size_t i = 0; i < kNeeds.size(); ++i) {
      const double share = budget_share(kNeeds, i, left, 10);
      CHECK(share >= 0);
      left -= std::min(share, kNeeds[i].fixed + kNeeds[i].elastic);
    }
    CHECK(left >= (budget >= 100 ? 10 - 1e-9 : 0));
    if (budget <= wanted && budget >= 100) CHECK(left == Approx(10));
  }
}

TEST_CASE("what studies need comes from their forecasts, and from their search's where they have none",
          "[budget]") {
  const Comparison comparison = parse_comparison(R"({
    "comparison": "c", "objective": {"metric": "m", "goal": "maximize"},
    "trainer": {"task": "toy", "model": "small", "data": "train", "test": "test"}, "seeds": 2,
    "approaches": [{"name": "a"}, {"name": "b", "search": {"parameters": {"x": {"type": "int", "min": 0, "max": 9}},
                                                           "limits": {"trials": 5}}}]})",
                                                 "c.json", "/data");
  const auto study = [](int trials, double each) {
    store::CostForecast forecast;
    forecast.trials = trials;
    forecast.device_hours = trials * each / 3600;
    forecast.device_seconds_per_trial = each;
    return forecast;
  };
  store::CostForecast unknown;
  unknown.reason = "who knows";
  const store::CostForecasts forecast = {{"c.a.defaults", study(2, 10)}, {"c.b.search", study(5, 20)},
                                         {"c.b.defaults", study(5, 20)}, {"c.b.tuned", study(2, 20)},
                                         {"c.b.random", unknown},        {"c.b.random-tuned", study(2, 20)}};
  const std::vector<StudyNeed> all = study_needs(comparison, forecast);
  REQUIRE(all.size() == 6);
  const auto check = [&](std::size_t i, const char* name, double fixed, double elastic) {
    CHECK(all[i].study == name);
    CHECK(all[i].fixed == Approx(fixed));
    CHECK(all[i].elastic == Approx(elastic).margin(1e-9));
  };
  check(0, "c.a.defaults", 20, 0);
  check(1, "c.b.search", 0, 100);
  check(2, "c.b.defaults", 40, 60);
  check(3, "c.b.tuned", 40, 0);
  check(4, "c.b.random", 0, 100);
  check(5, "c.b.random-tuned", 40, 0);
  CHECK(all[1].trial == 20);
  CHECK_FALSE(all[4].trial);
}

TEST_CASE(
    "before a program of one's own has run, the budget is shared out evenly over its runs, then by what one "
    "takes",
    "[budget]") {
  const Comparison comparison = parse_comparison(R"({
    "comparison": "c", "objective": {"metric": "m", "goal": "maximize"}, "command": ["train"], "seeds": 2,
    "test": {"metric": "t", "goal": "maximize"}, "fixed": {"x": 1},
    "approaches": [{"name": "a"}, {"name": "b", "search": {"parameters": {"x": {"type": "int", "min": 0, "max": 9}},
                                                           "limits": {"trials": 5}}}]})",
                                                 "c.json", "/data");
  // a: 2; b: a search of 5, at default values 2 and 3 beyond, 2, a random search of 5, 2: 21 runs.
  const auto share = [&](std::size_t index, double left, const std::vector<double>& seconds) {
    std::vector<StudyNeed> all = study_needs(comparison, {});
    add_unmeasured(comparison, seconds, index, left, all);
    return budget_share(all, index, left, 0);
  };
  // Its own 2 may take longer, at the cost of the 13 that searches could do without.
  CHECK(share(0, 210, {0, 0}) == Approx(20 + 130));
  CHECK(share(1, 190, {10, 0}) == Approx(50));
  // It is known by now what a run takes, and searches shrink: 6 runs for seeds cost 60, and 13 others
  // share 40.
  CHECK(share(1, 100, {10, 10}) == Approx(40.0 * 5 / 13));
  // Nothing is left of it.
  CHECK(share(3, 0, {10, 10}) == 0);
}

}  // namespace
}  // namespace tune::compare
