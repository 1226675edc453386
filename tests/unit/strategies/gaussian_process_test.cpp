#include "strategies/gaussian_process.h"

#include <Eigen/Dense>

#include "support/catch.h"
#include "unit/strategies/dense_reference.h"

using namespace tune::strategies;
using namespace tune::tests;

namespace {

const std::vector<Eigen::Index> kGroups{0, 1, 2};
const Eigen::VectorXd kLengths = Eigen::Vector3d(0.4, 0.7, 1.5);
constexpr double kSignal = 1.3, kNoise = 0.02;

GaussianProcess conditioned(const Eigen::MatrixXd& x, const Eigen::VectorXd& y, Eigen::Index block) {
  GaussianProcess process(Kernel(kLengths, kSignal, kGroups));
  for (Eigen::Index i = 0; i < x.rows(); i += block) {
    const Eigen::Index rows = std::min(block, x.rows() - i);
    REQUIRE(process.append(x.middleRows(i, rows), Eigen::VectorXd::Constant(rows, kNoise)));
  }
  process.set_targets(y);
  return process;
}

}  // namespace

TEST_CASE("The posterior is the one that dense matrix inversion gives") {
  const Eigen::MatrixXd x = uniform_matrix(40, 3, 1), at = uniform_matrix(10, 3, 2);
  const Eigen::VectorXd y = wavy_targets(x, 3);
  const GaussianProcess process = conditioned(x, y, 40);

  Eigen::MatrixXd k = plain_covariance(x, x, kLengths, kGroups, kSignal);
  k.diagonal().array() += kNoise;
  const Eigen::MatrixXd inverse = k.inverse(), cross = plain_covariance(at, x, kLengths, kGroups, kSignal);
  const double mean = (inverse * y).sum() / (inverse.sum() + 1);
  const Eigen::VectorXd means = (cross * inverse * (y.array() - mean).matrix()).array() + mean;
  CHECK(process.mean() == Approx(mean));
  const std::vector<Prediction> rows = process.predict_rows(at);
  for (Eigen::Index i = 0; i < at.rows(); ++i) {
    const Prediction p = process.predict(at.row(i).transpose());
    CHECK(p.mean == Approx(means[i]).margin(1e-10));
    CHECK(rows[static_cast<std::size_t>(i)].mean == Approx(means[i]).margin(1e-10));
    CHECK(p.variance == Approx(kSignal - cross.row(i).dot(inverse * cross.row(i).transpose())).margin(1e-10));
  }
}

TEST_CASE("Appending one by one, in blocks and all at once give the same factor and predictions") {
  const Eigen::MatrixXd x = uniform_matrix(50, 3, 4);
  const Eigen::VectorXd y = wavy_targets(x, 5);
  const GaussianProcess full = conditioned(x, y, 50);
  for (const Eigen::Index block : {1, 7, 49}) {
    const GaussianProcess grown = conditioned(x, y, block);
    CHECK((grown.factor() - full.factor()).cwiseAbs().maxCoeff() < 1e-10);
    const Eigen::VectorXd at = Eigen::Vector3d(0.2, 0.9, 0.5);
    CHECK(grown.predict(at).mean == Approx(full.predict(at).mean).epsilon(1e-9));
    CHECK(grown.predict(at).variance == Approx(full.predict(at).variance).epsilon(1e-9));
  }
}

TEST_CASE(
    "Predicting many rows, and with gradients, agrees with predicting one and with central differences") {
  const Eigen::MatrixXd x = uniform_matrix(30, 3, 6), at = uniform_matrix(8, 3, 7);
  const GaussianProcess process = conditioned(x, wavy_targets(x, 8), 30);
  const auto rows = process.predict_rows(at);
  for (Eigen::Index i = 0; i < at.rows(); ++i) {
    const Eigen::VectorXd point = at.row(i).transpose();
    Eigen::VectorXd mean_gradient, variance_gradient;
    const Prediction plain = process.predict(point);
    const Prediction full = process.predict(point, mean_gradient, variance_gradient);
    const Prediction& row = rows[static_cast<std::size_t>(i)];
    CHECK(full.mean == Approx(plain.mean).margin(1e-12));
    CHECK(full.variance == Approx(plain.variance).margin(1e-12));
    CHECK(row.mean == Approx(plain.mean).margin(1e-12));
    CHECK(row.variance == Approx(plain.variance).margin(1e-12));
    for (Eigen::Index f = 0; f < 3; ++f) {
      constexpr double kStep = 1e-6;
      Eigen::VectorXd up = point, down = point;
      up[f] += kStep;
      down[f] -= kStep;
      CHECK(mean_gradient[f] == Approx((process.predict(up).mean - process.predict(down).mean) / (2 * kStep))
                                    .epsilon(1e-5)
                                    .margin(1e-7));
      CHECK(variance_gradient[f] ==
            Approx((process.predict(up).variance - process.predict(down).variance) / (2 * kStep))
                .epsilon(1e-5)
                .margin(1e-7));
    }
  }
}

TEST_CASE("A hundred copies of one point leave a posterior with a positive variance") {
  const Eigen::MatrixXd x = Eigen::MatrixXd::Constant(100, 3, 0.5);
  GaussianProcess process(Kernel(kLengths, kSignal, kGroups));
  REQUIRE(process.append(x, Eigen::VectorXd::Zero(100)));
  process.set_targets(Eigen::VectorXd::Ones(100));
  const Prediction here = process.predict(Eigen::Vector3d::Constant(0.5));
  CHECK(here.mean == Approx(1).margin(1e-3));
  CHECK(here.variance > 0);
  CHECK(here.variance < 1e-3);
}
