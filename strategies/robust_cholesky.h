#pragma once
// Cholesky factors of covariances that rounding may have spoilt.
#include <Eigen/Core>
#include <optional>

namespace tune::strategies {

// The lower Cholesky factor of a symmetric matrix of which the lower half is read. Where rounding has made it
// indefinite, `jitter` is added to the diagonal, from 1e-9 of the mean diagonal tenfold up to 1e-3; nullopt
// if even that does not do.
std::optional<Eigen::MatrixXd> robust_cholesky(const Eigen::MatrixXd& matrix);

}  // namespace tune::strategies
