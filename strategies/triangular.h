#pragma once
// Inverses from a Cholesky factor, at a third of the cost of solving against the identity.
#include <Eigen/Core>
#include <optional>

namespace tune::strategies {

// The inverse of a lower triangular matrix; its strict upper part is zero and that of the argument is not
// read.
Eigen::MatrixXd invert_lower(const Eigen::MatrixXd& lower);

// (L L^T)^-1 for a lower triangular L. Both halves are filled.
Eigen::MatrixXd inverse_from_factor(const Eigen::MatrixXd& lower);

// The lower Cholesky factor of a symmetric matrix of which the lower half is read. Where rounding has made it
// indefinite, `jitter` is added to the diagonal, from 1e-9 of the mean diagonal tenfold up to 1e-3; nullopt
// if even that does not do.
std::optional<Eigen::MatrixXd> robust_cholesky(const Eigen::MatrixXd& matrix);

}  // namespace tune::strategies
