#include "strategies/kernel.h"

#include "support/catch.h"
#include "unit/strategies/dense_reference.h"

using namespace tune::strategies;
using namespace tune::tests;

TEST_CASE("Covariances are the textbook's Matern-5/2 with a length for each group") {
  const std::vector<Eigen::Index> group{0, 1, 1};
  const Eigen::VectorXd lengths = Eigen::Vector2d(0.3, 0.8);
  const Eigen::MatrixXd a = uniform_matrix(9, 3, 1), b = uniform_matrix(4, 3, 2);
  const Kernel kernel(lengths, 1.7, group);
  CHECK((kernel.covariance(a, b) - plain_covariance(a, b, lengths, group, 1.7)).cwiseAbs().maxCoeff() <
        1e-12);
  Eigen::VectorXd slope;
  const Eigen::VectorXd x = b.row(0).transpose();
  CHECK((kernel.covariance(a, x, slope) - kernel.covariance(a, b).col(0)).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("The kernel's gradient agrees with central differences, at a training point too") {
  const Kernel kernel(Eigen::Vector2d(0.3, 0.8), 1.7, {0, 1});
  const Eigen::MatrixXd points = uniform_matrix(6, 2, 3);
  const Eigen::VectorXd weight = uniform_matrix(6, 1, 4).col(0);
  for (const Eigen::VectorXd& x :
       {Eigen::VectorXd(Eigen::Vector2d(0.4, 0.7)), Eigen::VectorXd(points.row(2).transpose())}) {
    Eigen::VectorXd slope, unused;
    kernel.covariance(points, x, slope);
    const Eigen::VectorXd gradient = kernel.gradient(points, x, slope, weight);
    for (Eigen::Index i = 0; i < 2; ++i) {
      constexpr double kStep = 1e-6;
      Eigen::VectorXd up = x, down = x;
      up[i] += kStep;
      down[i] -= kStep;
      const double difference = (weight.dot(kernel.covariance(points, up, unused)) -
                                 weight.dot(kernel.covariance(points, down, unused))) /
                                (2 * kStep);
      CHECK(gradient[i] == Approx(difference).epsilon(1e-6).margin(1e-8));
    }
  }
}
