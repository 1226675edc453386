#include "strategies/hyperparameter_chain.h"

#include <algorithm>

#include "support/catch.h"
#include "unit/strategies/dense_reference.h"

using namespace tune::strategies;
using namespace tune::test;

namespace {

ObservationTable table_of(Eigen::Index rows, std::uint64_t seed) {
  ObservationTable table;
  table.features = uniform_matrix(rows, 2, seed);
  const Eigen::VectorXd y = wavy_targets(table.features, seed);
  table.losses.assign(y.begin(), y.end());
  return table;
}

ObservationTable first_rows(const ObservationTable& table, Eigen::Index rows) {
  return {table.features.topRows(rows), {table.losses.begin(), table.losses.begin() + rows}};
}

}  // namespace

TEST_CASE("Refits become rarer as observations grow") {
  CHECK(HyperparameterChain::refit_point(37) == 37);
  CHECK(HyperparameterChain::refit_point(104) == 100);
  CHECK(HyperparameterChain::refit_point(299) == 295);
  CHECK(HyperparameterChain::refit_point(319) == 300);
  CHECK(HyperparameterChain::refit_point(1049) == 1000);
}

TEST_CASE(
    "A chain that has grown with the history and a fresh one give the same parameters to the last bit") {
  const ObservationTable table = table_of(40, 1);
  HyperparameterChain grown({0, 1});
  for (Eigen::Index n = 4; n <= 40; ++n) {
    const auto fit = grown.at(first_rows(table, n), 4);
    HyperparameterChain fresh({0, 1});
    const auto again = fresh.at(first_rows(table, n), 4);
    REQUIRE(fit.has_value());
    REQUIRE(again.has_value());
    CHECK(fit->theta == again->theta);
    CHECK(fit->observations == static_cast<std::size_t>(n));
  }
}

TEST_CASE("Another history does not get the parameters that were remembered for the first") {
  HyperparameterChain chain({0, 1});
  const ObservationTable one = table_of(20, 1), other = table_of(20, 2);
  const auto first = chain.at(one, 4), second = chain.at(other, 4);
  HyperparameterChain fresh({0, 1});
  CHECK(second->theta == fresh.at(other, 4)->theta);
  CHECK(first->theta != second->theta);
  CHECK(chain.at(one, 4)->theta == first->theta);
}

TEST_CASE("Between refit points the parameters of the last one hold") {
  const ObservationTable table = table_of(104, 3);
  HyperparameterChain chain({0, 1});
  const auto late = chain.at(table, 4);
  CHECK(late->observations == 100);
  CHECK(late->theta == chain.at(first_rows(table, 100), 4)->theta);
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
