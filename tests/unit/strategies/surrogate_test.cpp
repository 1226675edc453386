#include "strategies/surrogate.h"

#include <algorithm>
#include <cmath>

#include "support/catch.h"
#include "unit/strategies/suggestions.h"

using namespace tune::strategies;
using namespace tune::tests;

namespace {

// Without every row for which `missing` holds.
template <typename Missing>
ObservationTable without(const ObservationTable& table, Missing missing) {
  ObservationTable result;
  result.features.resize(table.features.rows(), table.features.cols());
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (missing(table.trials[i])) continue;
    result.features.row(static_cast<Eigen::Index>(result.size())) =
        table.features.row(static_cast<Eigen::Index>(i));
    result.losses.push_back(table.losses[i]);
    result.trials.push_back(table.trials[i]);
  }
  result.features.conservativeResize(static_cast<Eigen::Index>(result.size()), Eigen::NoChange);
  return result;
}

}  // namespace

TEST_CASE("A builder that grew with the history gives a fresh one's model to the last bit") {
  const ObservationTable all = table_of(180, 3, 1);
  SurrogateBuilder grown({0, 1, 2});
  for (int last = 3; last <= 180; last += 19) {
    // Trials end out of order: two late ones are missing now and come with the next step.
    const ObservationTable table =
        without(all.up_to(last), [&](int trial) { return trial == last - 1 || trial == last - 5; });
    if (table.size() == 0) continue;
    SurrogateBuilder fresh({0, 1, 2});
    const auto one = grown.build(table), other = fresh.build(table);
    REQUIRE(one.has_value());
    REQUIRE(other.has_value());
    CHECK(one->process->factor() == other->process->factor());
    CHECK(one->process->whitened() == other->process->whitened());
    CHECK(one->noise_variance == other->noise_variance);
  }
}

TEST_CASE("The factor grown block by block is that of the whole covariance, however large the blocks") {
  const ObservationTable table = table_of(131, 3, 2);
  SurrogateBuilder builder({0, 1, 2});
  const auto surrogate = builder.build(table);
  REQUIRE(surrogate.has_value());
  const GaussianProcess& process = *surrogate->process;
  GaussianProcess whole(process.kernel());
  REQUIRE(whole.append(process.points(), Eigen::VectorXd::Constant(131, surrogate->noise_variance)));
  whole.set_targets(surrogate->targets);
  CHECK((process.factor() - whole.factor()).cwiseAbs().maxCoeff() < 1e-7);
  const Eigen::MatrixXd probes = uniform_matrix(20, 3, 3);
  const std::vector<Prediction> in_blocks = process.predict_rows(probes),
                                at_once = whole.predict_rows(probes);
  for (std::size_t i = 0; i < in_blocks.size(); ++i)
    CHECK(in_blocks[i].mean == Approx(at_once[i].mean).margin(1e-6));
}

TEST_CASE("Beyond the most observations a subset with the best of them stands for all") {
  const ObservationTable table = table_of(1100, 3, 4);
  SurrogateBuilder builder({0, 1, 2});
  const auto surrogate = builder.build(table);
  REQUIRE(surrogate.has_value());
  CHECK(surrogate->process->size() == static_cast<Eigen::Index>(SurrogateBuilder::kMostObservations));
  const auto best = std::min_element(table.losses.begin(), table.losses.end()) - table.losses.begin();
  const Eigen::MatrixXd& points = surrogate->process->points();
  CHECK((points.rowwise() - table.features.row(best)).rowwise().squaredNorm().minCoeff() == 0);
}

TEST_CASE("Observations all equal or all at one point give a model that says so, not an error") {
  for (const bool same_point : {false, true}) {
    ObservationTable table = table_of(70, 3, 5);
    if (same_point) table.features = table.features.row(0).replicate(70, 1);
    if (!same_point) table.losses.assign(70, 3.5);
    SurrogateBuilder builder({0, 1, 2});
    const auto surrogate = builder.build(table);
    REQUIRE(surrogate.has_value());
    const Prediction at = surrogate->process->predict(table.features.row(0).transpose());
    CHECK(std::isfinite(at.mean));
    CHECK(at.variance > 0);
  }
}

TEST_CASE("A surrogate that is held stays as it is when its builder goes on") {
  const ObservationTable table = table_of(100, 3, 6);
  SurrogateBuilder builder({0, 1, 2});
  const auto held = builder.build(table.up_to(99));
  REQUIRE(held.has_value());
  REQUIRE(held->process->append(uniform_matrix(3, 3, 7), Eigen::VectorXd::Ones(3)));
  const Eigen::MatrixXd factor = held->process->factor();
  SurrogateBuilder fresh({0, 1, 2});
  const auto next = builder.build(table), alone = fresh.build(table);
  REQUIRE(next.has_value());
  CHECK(held->process->factor() == factor);
  CHECK(next->process->factor() == alone->process->factor());
}
