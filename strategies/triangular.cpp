#include "strategies/triangular.h"

#include <Eigen/Cholesky>

namespace tune::strategies {
namespace {

using Block = Eigen::Ref<Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
using ConstBlock = Eigen::Ref<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
constexpr Eigen::Index kSmall = 32;  // below it recursion costs more than it saves

// [A 0; B C]^-1 = [A^-1 0; -C^-1 B A^-1 C^-1].
void invert_in_place(Block m) {
  const Eigen::Index n = m.rows();
  if (n <= kSmall) {
    Eigen::MatrixXd inverse = Eigen::MatrixXd::Identity(n, n);
    m.triangularView<Eigen::Lower>().solveInPlace(inverse);
    m.triangularView<Eigen::Lower>() = inverse;
    return;
  }
  const Eigen::Index half = n / 2, rest = n - half;
  invert_in_place(m.topLeftCorner(half, half));
  invert_in_place(m.bottomRightCorner(rest, rest));
  const Eigen::MatrixXd right =
      m.bottomLeftCorner(rest, half) * m.topLeftCorner(half, half).triangularView<Eigen::Lower>();
  m.bottomLeftCorner(rest, half).noalias() =
      -(m.bottomRightCorner(rest, rest).triangularView<Eigen::Lower>() * right);
}

// The lower half of M^T M for a lower triangular M = [A 0; B C].
void transpose_times_self(const ConstBlock& m, Block result) {
  const Eigen::Index n = m.rows();
  if (n <= kSmall) {
    const Eigen::MatrixXd dense = m.triangularView<Eigen::Lower>();
    result.triangularView<Eigen::Lower>() = dense.transpose() * dense;
    return;
  }
  const Eigen::Index half = n / 2, rest = n - half;
  transpose_times_self(m.topLeftCorner(half, half), result.topLeftCorner(half, half));
  transpose_times_self(m.bottomRightCorner(rest, rest), result.bottomRightCorner(rest, rest));
  const auto b = m.bottomLeftCorner(rest, half);
  result.topLeftCorner(half, half).selfadjointView<Eigen::Lower>().rankUpdate(b.transpose());
  result.bottomLeftCorner(rest, half).noalias() =
      m.bottomRightCorner(rest, rest).triangularView<Eigen::Lower>().transpose() * b;
}

}  // namespace

Eigen::MatrixXd invert_lower(const Eigen::MatrixXd& lower) {
  Eigen::MatrixXd inverse = lower.triangularView<Eigen::Lower>();
  invert_in_place(inverse);
  return inverse;
}

Eigen::MatrixXd inverse_from_factor(const Eigen::MatrixXd& lower) {
  const Eigen::MatrixXd inverse = invert_lower(lower);
  Eigen::MatrixXd result(lower.rows(), lower.cols());
  transpose_times_self(inverse, result);
  result.triangularView<Eigen::StrictlyUpper>() = result.transpose();
  return result;
}

std::optional<Eigen::MatrixXd> robust_cholesky(const Eigen::MatrixXd& matrix) {
  if (matrix.rows() == 0) return Eigen::MatrixXd(0, 0);
  if (!matrix.allFinite()) return std::nullopt;
  const double scale = matrix.diagonal().mean();
  constexpr double kFirstJitter = 1e-9, kLastJitter = 1.1e-3;
  for (double jitter = 0; jitter < kLastJitter; jitter = jitter == 0 ? kFirstJitter : 10 * jitter) {
    Eigen::MatrixXd shifted = matrix;
    shifted.diagonal().array() += jitter * scale;
    const Eigen::LLT<Eigen::MatrixXd> factor(shifted);
    if (factor.info() == Eigen::Success) {
      Eigen::MatrixXd lower = factor.matrixL();
      if (lower.allFinite()) return lower;
    }
  }
  return std::nullopt;
}

}  // namespace tune::strategies
