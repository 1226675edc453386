#include "strategies/robust_cholesky.h"

#include "strategies/dense_algebra.h"

namespace tune::strategies {

std::optional<Eigen::MatrixXd> robust_cholesky(const Eigen::MatrixXd& matrix) {
  if (matrix.rows() == 0) return Eigen::MatrixXd(0, 0);
  if (!matrix.allFinite()) return std::nullopt;
  const double scale = matrix.diagonal().mean();
  constexpr double kFirstJitter = 1e-9, kLastJitter = 1.1e-3;
  for (double jitter = 0; jitter < kLastJitter; jitter = jitter == 0 ? kFirstJitter : 10 * jitter) {
    Eigen::MatrixXd lower = matrix.triangularView<Eigen::Lower>();
    lower.diagonal().array() += jitter * scale;
    if (cholesky(lower) && lower.allFinite()) return lower;
  }
  return std::nullopt;
}

}  // namespace tune::strategies
