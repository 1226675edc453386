#pragma once
// Minimisation of a smooth function in a box.
#include <Eigen/Core>
#include <functional>

namespace tune::strategies {

// The function's value, and its gradient by reference. A value that is not finite marks a point to stay away
// from.
using SmoothFunction = std::function<double(const Eigen::VectorXd& x, Eigen::VectorXd& gradient)>;

struct BoxMinimum {
  Eigen::VectorXd x;
  double value;
};
struct LbfgsOptions {
  int iterations = 60;
  double gradient_tolerance = 1e-2;  // on the largest component of the projected gradient
  int memory = 8;
};

// L-BFGS (Nocedal & Wright, "Numerical Optimization", 2006, algorithm 7.4) on the coordinates that are free
// of their bounds, with projected backtracking (Bertsekas, "Projected Newton methods for optimization
// problems with simple constraints", 1982). Deterministic. x0 is clamped into the box; the result is never
// worse than x0.
BoxMinimum minimize_in_box(const SmoothFunction& function, const Eigen::VectorXd& x0,
                           const Eigen::VectorXd& lower, const Eigen::VectorXd& upper,
                           const LbfgsOptions& options = {});

}  // namespace tune::strategies
