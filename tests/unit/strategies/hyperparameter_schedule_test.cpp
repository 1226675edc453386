#include "strategies/hyperparameter_schedule.h"

#include <algorithm>

#include "support/catch.h"
#include "unit/strategies/suggestions.h"

using namespace tune::strategies;
using namespace tune::tests;

namespace {

ObservationTable without_row(const ObservationTable& table, Eigen::Index row) {
  ObservationTable result = table;
  const Eigen::Index rest = table.features.rows() - row - 1;
  result.features.middleRows(row, rest) = table.features.bottomRows(rest);
  result.features.conservativeResize(table.features.rows() - 1, Eigen::NoChange);
  result.losses.erase(result.losses.begin() + row);
  result.trials.erase(result.trials.begin() + row);
  return result;
}

}  // namespace

TEST_CASE("Refits become rarer as observations grow, and stay behind trials that may not have ended") {
  CHECK(HyperparameterSchedule::refit_point(37, 40) == 40);
  CHECK(HyperparameterSchedule::refit_point(100, 104) == 80);
  CHECK(HyperparameterSchedule::refit_point(299, 299) == 280);
  CHECK(HyperparameterSchedule::refit_point(400, 430) == 400);
  CHECK(HyperparameterSchedule::refit_point(1010, 1049) == 1000);
}

TEST_CASE("A schedule that has grown with the history and a fresh one give the same parameters exactly") {
  const ObservationTable table = table_of(100, 2, 1);
  HyperparameterSchedule grown({0, 1});
  for (int n = 1; n <= 100; n += 9) {
    HyperparameterSchedule fresh({0, 1});
    const auto one = grown.at(table.up_to(n)), other = fresh.at(table.up_to(n));
    REQUIRE(one.has_value());
    CHECK(*one == other);
  }
}

TEST_CASE("Another history does not get the parameters that were remembered for the first") {
  HyperparameterSchedule schedule({0, 1}), fresh({0, 1});
  const ObservationTable one = table_of(20, 2, 1), other = table_of(20, 2, 2);
  const auto first = schedule.at(one), second = schedule.at(other);
  CHECK(second == fresh.at(other));
  CHECK(first != second);
  CHECK(schedule.at(one) == first);
}

TEST_CASE("A late trial that has not ended changes no parameters, an early one does") {
  const ObservationTable table = table_of(104, 2, 3);
  HyperparameterSchedule schedule({0, 1});
  const auto theta = schedule.at(table);
  CHECK(schedule.at(without_row(table, 98)) == theta);
  CHECK(schedule.at(table.up_to(103)) == theta);
  CHECK(schedule.at(without_row(table, 40)) != theta);
}

TEST_CASE("The parameters found are at least as probable as any start and as far more distant guesses") {
  const ObservationTable table = table_of(40, 2, 4);
  const Eigen::VectorXd y = Eigen::Map<const Eigen::VectorXd>(table.losses.data(), 40);
  const auto theta = fit_theta(table.features, {0, 1}, y);
  REQUIRE(theta.has_value());
  const ThetaPrior prior = theta_prior(2);
  LogPosteriorFunction log_posterior(table.features, {0, 1}, y);
  const double found = log_posterior(*theta)->value;
  for (const double length : {-2.0, -1.0, 0.0, 1.0, 2.0}) {
    Theta guess = prior.mean;
    guess.head(2).array() += length;
    CHECK(found >= *log_posterior.value(guess) - 1e-9);
  }
}

TEST_CASE("The value alone is that which comes with the gradient") {
  const ObservationTable table = table_of(30, 2, 5);
  const Eigen::VectorXd y = Eigen::Map<const Eigen::VectorXd>(table.losses.data(), 30);
  const ThetaPrior prior = theta_prior(2);
  LogPosteriorFunction log_posterior(table.features, {0, 1}, y);
  const auto both = log_posterior(prior.mean);
  CHECK(*log_posterior.value(prior.mean) == Approx(both->value).epsilon(1e-9));
}

TEST_CASE("A subset keeps the best quarter and is spread over the rest") {
  std::vector<double> losses;
  for (int i = 0; i < 100; ++i) losses.push_back((i * 37) % 100);
  const auto subset = representative_subset(losses, 20);
  REQUIRE(subset.size() == 20);
  CHECK(std::is_sorted(subset.begin(), subset.end()));
  CHECK(std::adjacent_find(subset.begin(), subset.end()) == subset.end());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (losses[i] < 5) CHECK(std::count(subset.begin(), subset.end(), i) == 1);
  }
  CHECK(subset.back() > 80);
  CHECK(representative_subset(losses, 100).size() == 100);
}
