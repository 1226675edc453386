#include "strategies/lbfgs.h"

#include <cmath>
#include <deque>
#include <vector>

namespace tune::strategies {
namespace {

struct Pair {
  Eigen::VectorXd step, change;
  double inverse_curvature;
};

// The two-loop recursion: an estimate of inverse Hessian times `gradient`.
Eigen::VectorXd newton_direction(const std::deque<Pair>& pairs, Eigen::VectorXd gradient) {
  std::vector<double> coefficient(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    coefficient[i] = pairs[i].inverse_curvature * pairs[i].step.dot(gradient);
    gradient -= coefficient[i] * pairs[i].change;
  }
  if (!pairs.empty()) {
    const Pair& last = pairs.back();
    gradient *= 1 / (last.inverse_curvature * last.change.squaredNorm());
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double b = pairs[i].inverse_curvature * pairs[i].change.dot(gradient);
    gradient += (coefficient[i] - b) * pairs[i].step;
  }
  return gradient;
}

// The gradient without the components that push out of the box.
Eigen::VectorXd free_gradient(const Eigen::VectorXd& x, const Eigen::VectorXd& gradient,
                              const Eigen::VectorXd& lower, const Eigen::VectorXd& upper) {
  Eigen::VectorXd free = gradient;
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    if ((x[i] <= lower[i] && gradient[i] > 0) || (x[i] >= upper[i] && gradient[i] < 0)) free[i] = 0;
  }
  return free;
}

Eigen::VectorXd descent_direction(const std::deque<Pair>& pairs, const Eigen::VectorXd& free) {
  Eigen::VectorXd direction = -newton_direction(pairs, free);
  for (Eigen::Index i = 0; i < free.size(); ++i) {
    if (free[i] == 0) direction[i] = 0;
  }
  // Dropping the bound coordinates can spoil descent.
  if (pairs.empty() || !(direction.dot(free) < -1e-10 * direction.norm() * free.norm())) {
    constexpr double kFirstStep = 0.1;
    direction = -free * (kFirstStep / std::max(free.cwiseAbs().maxCoeff(), kFirstStep));
  }
  return direction;
}

}  // namespace

BoxMinimum minimize_in_box(const SmoothFunction& function, const Eigen::VectorXd& x0,
                           const Eigen::VectorXd& lower, const Eigen::VectorXd& upper,
                           const LbfgsOptions& options) {
  constexpr double kSufficientDecrease = 1e-4;
  constexpr int kHalvings = 12;
  Eigen::VectorXd x = x0.cwiseMax(lower).cwiseMin(upper), gradient(x.size()), next_gradient(x.size());
  double value = function(x, gradient);
  if (!std::isfinite(value) || !gradient.allFinite()) return {x, value};
  std::deque<Pair> pairs;
  for (int iteration = 0; iteration < options.iterations; ++iteration) {
    const Eigen::VectorXd free = free_gradient(x, gradient, lower, upper);
    if (free.size() == 0 || free.cwiseAbs().maxCoeff() < options.gradient_tolerance) break;
    const Eigen::VectorXd direction = descent_direction(pairs, free);
    Eigen::VectorXd next;
    double next_value = 0, length = 1;
    bool accepted = false;
    for (int halving = 0; halving < kHalvings && !accepted; ++halving, length /= 2) {
      next = (x + length * direction).cwiseMax(lower).cwiseMin(upper);
      next_value = function(next, next_gradient);
      accepted = std::isfinite(next_value) && next_gradient.allFinite() &&
                 next_value <= value + kSufficientDecrease * gradient.dot(next - x);
    }
    if (!accepted && pairs.empty()) break;
    if (!accepted) {
      pairs.clear();  // the curvature was misleading: once more along the gradient
      continue;
    }
    Pair pair{next - x, next_gradient - gradient, 0};
    const double curvature = pair.step.dot(pair.change);
    if (curvature > 1e-10 * pair.step.norm() * pair.change.norm()) {
      pair.inverse_curvature = 1 / curvature;
      pairs.push_back(std::move(pair));
      if (pairs.size() > static_cast<std::size_t>(options.memory)) pairs.pop_front();
    }
    const bool converged = value - next_value < 1e-10 * std::max(1.0, std::abs(value));
    x = next;
    gradient = next_gradient;
    value = next_value;
    if (converged) break;
  }
  return {x, value};
}

}  // namespace tune::strategies
