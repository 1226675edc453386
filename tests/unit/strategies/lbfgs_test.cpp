#include "strategies/lbfgs.h"

#include <cmath>
#include <limits>

#include "support/catch.h"

using namespace tune::strategies;

namespace {

double rosenbrock(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
  const double a = 1 - x[0], b = x[1] - x[0] * x[0];
  gradient = Eigen::Vector2d(-2 * a - 400 * x[0] * b, 200 * b);
  return a * a + 100 * b * b;
}

const LbfgsOptions kPrecise{.iterations = 200, .gradient_tolerance = 1e-8};

}  // namespace

TEST_CASE("The minimum of Rosenbrock's valley is found inside the box") {
  const auto found = minimize_in_box(rosenbrock, Eigen::Vector2d(-1.2, 1), Eigen::Vector2d(-2, -2),
                                     Eigen::Vector2d(2, 2), kPrecise);
  CHECK(found.x[0] == Approx(1).margin(1e-4));
  CHECK(found.x[1] == Approx(1).margin(1e-4));
}

TEST_CASE("A minimum outside the box is found on its face") {
  const auto found = minimize_in_box(rosenbrock, Eigen::Vector2d(-1.2, 1), Eigen::Vector2d(-2, -2),
                                     Eigen::Vector2d(0.5, 2), kPrecise);
  CHECK(found.x[0] == 0.5);
  CHECK(found.x[1] == Approx(0.25).margin(1e-5));
}

TEST_CASE("The result is never worse than the start, which is moved into the box") {
  const SmoothFunction flat_then_infinite = [](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    gradient = Eigen::VectorXd::Constant(1, 1.0);
    return x[0] < 0.4 ? std::numeric_limits<double>::infinity() : x[0];
  };
  const auto found = minimize_in_box(flat_then_infinite, Eigen::VectorXd::Constant(1, 7),
                                     Eigen::VectorXd::Zero(1), Eigen::VectorXd::Ones(1), kPrecise);
  CHECK(found.x[0] <= 1);
  CHECK(found.x[0] >= 0.4);
  CHECK(found.value < 0.6);
}

TEST_CASE("A start without a finite value is returned as it is") {
  const SmoothFunction nowhere = [](const Eigen::VectorXd&, Eigen::VectorXd& gradient) {
    gradient = Eigen::VectorXd::Zero(1);
    return std::nan("");
  };
  const auto found = minimize_in_box(nowhere, Eigen::VectorXd::Constant(1, 0.3), Eigen::VectorXd::Zero(1),
                                     Eigen::VectorXd::Ones(1));
  CHECK(found.x[0] == 0.3);
}
