// The means over seeds, the luck of first values, the bounds, and who is beaten.
#include <cmath>
#include <random>

#include "support/catch.h"
#include "tuner/core/replication.h"

namespace tune::tests {
namespace {

using Candidate = Replication::Candidate;

// Trials 1 and 2, each with two fresh values: the common luck is 1, and the means are 5 and 3.
const std::vector<SeedResult> kTwo{{1, 6.0}, {2, 4.0}, {3, 4.5, 1}, {4, 5.5, 1}, {5, 2.5, 2}, {6, 3.5, 2}};

}  // namespace

TEST_CASE("the quantiles of Student's t are those of the tables") {
  CHECK(student_upper_quantile(0.05, 1) == Approx(6.313752).epsilon(1e-6));
  CHECK(student_upper_quantile(0.05, 2) == Approx(2.919986).epsilon(1e-6));
  CHECK(student_upper_quantile(0.05, 5) == Approx(2.015048).epsilon(1e-6));
  CHECK(student_upper_quantile(0.05, 8) == Approx(1.859548).epsilon(1e-6));
  CHECK(student_upper_quantile(0.01, 7) == Approx(2.997952).epsilon(1e-6));
  CHECK(student_upper_quantile(0.025, 120) == Approx(1.979930).epsilon(1e-6));
}

TEST_CASE("without replicates values count as they are, the earlier of equals first") {
  const Replication replication(Goal::kMaximize, {{1, 0.2}, {2, 0.5}, {3, 0.5}});
  CHECK(replication.fresh_values() == 0);
  CHECK_FALSE(replication.has_bounds());
  REQUIRE(replication.winner() != nullptr);
  CHECK(replication.winner()->trial == 2);
  CHECK(replication.winner()->mean == 0.5);
  CHECK_FALSE(replication.winner()->luck.has_value());
  CHECK(Replication(Goal::kMinimize, {}).winner() == nullptr);
}

TEST_CASE(
    "a mean is that of all values of a trial, the first less the luck that first values have in common") {
  const Replication replication(Goal::kMaximize, kTwo);
  const Candidate &one = *replication.find(1), &two = *replication.find(2);
  CHECK(one.mean == Approx(5));
  CHECK(two.mean == Approx(3));
  CHECK(*one.luck == Approx(1));
  CHECK(*one.spread == Approx(std::sqrt(0.5)));
  // Residuals of the fresh values alone, a half each, over three degrees of freedom.
  CHECK(*replication.deviation() == Approx(std::sqrt(1.0 / 3)));
  const double error = std::sqrt(1.0 / 3) * std::sqrt(1.0 / 3 + 1.0 / 9 / (4.0 / 3));
  CHECK(*one.bound == Approx(5 - student_upper_quantile(0.025, 3) * error));
}

TEST_CASE("a goal to minimize turns bounds and luck around") {
  std::vector<SeedResult> losses = kTwo;
  for (SeedResult& loss : losses) loss.value = -loss.value;
  const Replication gains(Goal::kMaximize, kTwo), replication(Goal::kMinimize, losses);
  CHECK(replication.winner()->trial == 1);
  CHECK(*replication.winner()->bound == Approx(-*gains.winner()->bound));
  CHECK(*replication.winner()->luck == Approx(1));
}

TEST_CASE("a first value that is the mean of the fresh ones owes exactly nothing to luck") {
  const std::vector<SeedResult> results = {{1, 0.8}, {2, 0.7, 1}, {3, 0.9, 1}, {4, 0.8, 1}};
  for (const Goal goal : {Goal::kMaximize, Goal::kMinimize}) {
    const Replication replication(goal, results);
    CHECK(*replication.find(1)->luck == 0);
    CHECK_FALSE(std::signbit(*replication.find(1)->luck));
  }
  CHECK(*Replication(Goal::kMaximize, {{1, 0.8000001}, {2, 0.8, 1}}).find(1)->luck == Approx(1e-7));
}

TEST_CASE("what was never repeated is taken down by the common luck, and has a bound of its own") {
  std::vector<SeedResult> results = kTwo;
  results.push_back({7, 5.9});
  const Replication replication(Goal::kMaximize, results);
  const Candidate& other = *replication.find(7);
  CHECK(other.mean == Approx(4.9));
  CHECK(*other.bound < *replication.find(1)->bound);
  CHECK(replication.winner()->trial == 1);
  // So much better that no luck explains it.
  results.back().value = 50;
  CHECK(Replication(Goal::kMaximize, results).winner()->trial == 7);
}

TEST_CASE("a single fresh value gives means, and no bound, so values still rank") {
  const Replication replication(Goal::kMaximize, {{1, 6.0}, {2, 5.0}, {3, 2.0, 1}});
  CHECK(*replication.find(1)->luck == Approx(4));
  CHECK(replication.find(2)->mean == Approx(1));
  CHECK_FALSE(replication.has_bounds());
  CHECK(replication.winner()->trial == 1);
}

TEST_CASE("the value that was best by luck loses to one that holds over seeds") {
  const Replication replication(Goal::kMaximize, {{1, 0.95},
                                                  {2, 0.93},
                                                  {3, 0.80, 1},
                                                  {4, 0.81, 1},
                                                  {5, 0.79, 1},
                                                  {6, 0.92, 2},
                                                  {7, 0.93, 2},
                                                  {8, 0.91, 2}});
  CHECK(replication.winner()->trial == 2);
  CHECK(replication.ranking().back()->trial == 1);
  CHECK(*replication.find(1)->luck == Approx(0.15));
  CHECK(replication.is_beaten(*replication.find(1), *replication.find(2)));
  CHECK_FALSE(replication.is_beaten(*replication.find(2), *replication.find(1)));
  CHECK_FALSE(replication.is_beaten(*replication.find(2), *replication.find(2)));
}

TEST_CASE("values that differ by less than their noise beat nobody") {
  const Replication replication(Goal::kMaximize, kTwo);
  std::vector<SeedResult> close = kTwo;
  for (std::size_t i = 1; i < close.size(); ++i)
    if (close[i].trial == 2 || close[i].replicate_of == 2) close[i].value += 1.9;
  CHECK(replication.is_beaten(*replication.find(2), *replication.find(1)));
  const Replication even(Goal::kMaximize, close);
  CHECK_FALSE(even.is_beaten(*even.find(2), *even.find(1)));
}

TEST_CASE("a trial of which one seed has diverged does not win, however large its value is") {
  for (const double huge : {1e20, 1e200, 1.7e308}) {
    const Replication replication(Goal::kMinimize, {{1, 0.05},
                                                    {2, 0.06},
                                                    {3, huge, 1},
                                                    {4, 0.04, 1},
                                                    {5, huge, 1},
                                                    {6, 0.05, 2},
                                                    {7, 0.07, 2},
                                                    {8, 0.06, 2}});
    CHECK(replication.winner()->trial == 2);
    CHECK(replication.find(1)->first == 0.05);
    CHECK_FALSE(std::isnan(*replication.find(1)->bound));
    CHECK_FALSE(std::isnan(*replication.find(2)->bound));
  }
}

TEST_CASE("a trainer that repeats itself exactly has no luck and no spread") {
  const Replication replication(Goal::kMinimize,
                                {{1, 0.25}, {2, 0.5}, {3, 0.25, 1}, {4, 0.5, 2}, {5, 0.25, 1}});
  CHECK(replication.winner()->trial == 1);
  CHECK(replication.winner()->mean == 0.25);
  CHECK(*replication.winner()->bound == 0.25);
  CHECK(*replication.winner()->luck == 0);
  CHECK(replication.is_beaten(*replication.find(2), *replication.find(1)));
}

TEST_CASE("replicates of a trial that has no value any more are left out") {
  const Replication replication(Goal::kMaximize, {{1, 0.5}, {3, 0.9, 2}, {4, 0.9, 2}});
  CHECK(replication.fresh_values() == 0);
  CHECK(replication.winner()->trial == 1);
}

// Thirty trials whose true means are standard normal, of which the best three are repeated three times: of
// 1000 studies, the bound of the winner holds in as many as it says, and the winner is better more often than
// the best single value.
TEST_CASE("the bound of the winner holds, and the winner is truly better than the best single value") {
  const double noise = GENERATE(0.25, 0.5, 1.0);
  std::mt19937_64 random(42);
  std::normal_distribution<double> normal;
  int holds = 0, better = 0, worse = 0;
  constexpr int kStudies = 1000;
  for (int study = 0; study < kStudies; ++study) {
    std::vector<double> means;
    std::vector<SeedResult> results;
    for (int trial = 1; trial <= 30; ++trial) {
      means.push_back(normal(random));
      results.push_back({trial, means.back() + noise * normal(random)});
    }
    const Replication single(Goal::kMaximize, results);
    const std::vector<const Candidate*> best = single.ranking();
    for (std::size_t rank = 0; rank < 3; ++rank)
      for (int seed = 0; seed < 3; ++seed)
        results.push_back({static_cast<int>(results.size()) + 1,
                           means[static_cast<std::size_t>(best[rank]->trial) - 1] + noise * normal(random),
                           best[rank]->trial});
    const Replication replication(Goal::kMaximize, results);
    const auto truth = [&](const Candidate& one) { return means[static_cast<std::size_t>(one.trial) - 1]; };
    const Candidate& winner = *replication.winner();
    holds += *winner.bound <= truth(winner);
    better += truth(winner) > truth(*single.winner());
    worse += truth(winner) < truth(*single.winner());
  }
  CAPTURE(noise, holds, better, worse);
  CHECK(holds >= 0.95 * kStudies);
  CHECK(better > 2 * worse);
}

}  // namespace tune::tests
