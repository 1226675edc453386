#include "strategies/failure_model.h"

#include <cmath>

#include "support/catch.h"
#include "unit/strategies/dense_reference.h"

using namespace tune::strategies;
using namespace tune::tests;

namespace {

// Trials at the rows, which fail where `fails` says so.
template <typename Fails>
EncodedHistory outcomes_of(const Eigen::MatrixXd& points, Fails fails) {
  EncodedHistory history;
  history.outcomes.features = points;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const bool failed = fails(points.row(i));
    history.outcomes.trials.push_back(static_cast<int>(i + 1));
    history.outcomes.losses.push_back(failed ? EncodedHistory::kFailed : EncodedHistory::kSucceeded);
    if (failed) ++history.failed;
    if (!failed) history.observations.losses.push_back(0);
  }
  return history;
}

FailureModel fitted(const EncodedHistory& history) {
  SurrogateBuilder builder({0, 1});
  return FailureModel::fit(history, builder);
}

const auto kPastBorder = [](const auto& row) { return row[0] > 0.6; };

}  // namespace

TEST_CASE("Without failures nothing is discouraged, and without successes nothing is known") {
  Eigen::VectorXd gradient;
  for (const bool all_fail : {false, true}) {
    const FailureModel model =
        fitted(outcomes_of(uniform_matrix(9, 2, 1), [=](const auto&) { return all_fail; }));
    CHECK(model.log_success(Eigen::Vector2d(0.5, 0.5), gradient) == 0);
    CHECK(gradient.isZero());
    CHECK(model.log_successes(uniform_matrix(3, 2, 2)).isZero());
  }
}

TEST_CASE("A border of failures along one parameter is learnt from thirty trials") {
  const FailureModel model = fitted(outcomes_of(uniform_matrix(30, 2, 1), kPastBorder));
  for (const double other : {0.1, 0.5, 0.9}) {
    CHECK(std::exp(model.log_success(Eigen::Vector2d(0.85, other))) < 0.1);
    CHECK(std::exp(model.log_success(Eigen::Vector2d(0.3, other))) > 0.9);
  }
}

TEST_CASE("A trial that did not fit is an observation and a failure, but no lost one") {
  tune::Parameter parameter;
  parameter.name = "x";
  parameter.max = 1;
  const tune::SearchSpace space({parameter});
  const Encoding encoding(space);
  HistoryEncoder encoder(space, encoding);
  tune::History history;
  for (int i = 1; i <= 3; ++i) {
    auto trial = std::make_shared<tune::TrialView>();
    trial->number = i;
    trial->parameters = {{"x", 0.25 * i}};
    trial->state = i == 3 ? tune::TrialState::kFailed : tune::TrialState::kCompleted;
    if (i < 3) trial->values = {1.0 * i};
    trial->did_not_fit = i == 2;
    history.trials.push_back(trial);
  }
  const EncodedHistory encoded = encoder.encode(history, tune::Goal::kMinimize);
  CHECK(encoded.observations.losses == std::vector<double>{1, 2});
  CHECK(encoded.outcomes.losses ==
        std::vector<double>{EncodedHistory::kSucceeded, EncodedHistory::kFailed, EncodedHistory::kFailed});
  CHECK(encoded.failed == 2);
  REQUIRE(encoded.lost.rows() == 1);
  CHECK(encoded.lost(0, 0) == Approx(0.75));
}

TEST_CASE("One crash in five by chance discourages hardly any point") {
  tune::Rng rng(5);
  const Eigen::MatrixXd points = uniform_matrix(60, 2, 6);
  const FailureModel model = fitted(outcomes_of(points, [&](const auto&) { return rng.below(5) == 0; }));
  int discouraged = 0;
  const Eigen::VectorXd values = model.log_successes(uniform_matrix(100, 2, 7));
  for (const double value : values) discouraged += value < std::log(0.5) ? 1 : 0;
  CHECK(discouraged < 10);
}

TEST_CASE("The gradient of log success agrees with central differences, and many points with each") {
  const FailureModel model = fitted(outcomes_of(uniform_matrix(25, 2, 3), kPastBorder));
  const Eigen::MatrixXd points = uniform_matrix(10, 2, 4);
  const Eigen::VectorXd values = model.log_successes(points);
  for (Eigen::Index p = 0; p < points.rows(); ++p) {
    const Eigen::VectorXd x = points.row(p).transpose();
    Eigen::VectorXd gradient;
    CHECK(model.log_success(x, gradient) == Approx(model.log_success(x)).epsilon(1e-8));
    CHECK(values[p] == Approx(model.log_success(x)).epsilon(1e-8).margin(1e-12));
    for (Eigen::Index i = 0; i < 2; ++i) {
      Eigen::VectorXd up = x, down = x;
      up[i] += 1e-6;
      down[i] -= 1e-6;
      const double difference = (model.log_success(up) - model.log_success(down)) / 2e-6;
      CHECK(gradient[i] == Approx(difference).epsilon(1e-4).margin(1e-6));
    }
  }
}
