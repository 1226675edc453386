#include "strategies/dense_algebra.h"

#include <Eigen/Cholesky>
#include <cmath>

namespace tune::strategies {
namespace {

using Eigen::Index;

// Few enough values at a time to stay in the nearest cache through all passes over them.
constexpr Index kStrip = 256;

constexpr Index kSmall = 32;  // below it recursion costs more than it saves

// [A 0; B C]^-1 = [A^-1 0; -C^-1 B A^-1 C^-1].
void invert_in_place(Matrix m) {
  const Index n = m.rows();
  if (n <= kSmall) {
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kSmall, kSmall> inverse(n, n);
    inverse.setIdentity();
    m.triangularView<Eigen::Lower>().solveInPlace(inverse);
    m.triangularView<Eigen::Lower>() = inverse;
    return;
  }
  const Index half = n / 2, rest = n - half;
  invert_in_place(m.topLeftCorner(half, half));
  invert_in_place(m.bottomRightCorner(rest, rest));
  const Eigen::MatrixXd right =
      m.bottomLeftCorner(rest, half) * m.topLeftCorner(half, half).triangularView<Eigen::Lower>();
  m.bottomLeftCorner(rest, half).noalias() =
      -(m.bottomRightCorner(rest, rest).triangularView<Eigen::Lower>() * right);
}

// The lower half of M^T M for a lower triangular M = [A 0; B C].
void transpose_times_self(const ConstMatrix& m, Matrix result) {
  const Index n = m.rows();
  if (n <= kSmall) {
    const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kSmall, kSmall> dense =
        m.triangularView<Eigen::Lower>();
    result.triangularView<Eigen::Lower>() = dense.transpose() * dense;
    return;
  }
  const Index half = n / 2, rest = n - half;
  transpose_times_self(m.topLeftCorner(half, half), result.topLeftCorner(half, half));
  transpose_times_self(m.bottomRightCorner(rest, rest), result.bottomRightCorner(rest, rest));
  const auto b = m.bottomLeftCorner(rest, half);
  result.topLeftCorner(half, half).selfadjointView<Eigen::Lower>().rankUpdate(b.transpose());
  result.bottomLeftCorner(rest, half).noalias() =
      m.bottomRightCorner(rest, rest).triangularView<Eigen::Lower>().transpose() * b;
}

}  // namespace

void matern52(const ConstMatrix& a, const ConstMatrix& b, double signal, bool half, Matrix covariance,
              Matrix* slope) {
  Eigen::Array<double, kStrip, 1> squared_space, decay_space;
  for (Index j = 0; j < b.rows(); ++j) {
    for (Index i = half ? j : 0; i < a.rows(); i += kStrip) {
      const Index count = a.rows() - i < kStrip ? a.rows() - i : kStrip;
      auto t = squared_space.head(count);
      auto decay = decay_space.head(count);
      t.setZero();
      for (Index f = 0; f < a.cols(); ++f) t += (a.col(f).segment(i, count).array() - b(j, f)).square();
      t = (5 * t).sqrt();
      decay = signal * (-t).exp();
      covariance.col(j).segment(i, count) = ((1 + t + t.square() / 3) * decay).matrix();
      if (slope) slope->col(j).segment(i, count) = ((-5.0 / 6.0) * (1 + t) * decay).matrix();
    }
  }
}

bool cholesky(Matrix matrix) { return Eigen::LLT<Matrix>(matrix).info() == Eigen::Success; }

void solve_lower(const ConstMatrix& lower, Matrix b) {
  if (b.cols() == 1) {
    auto column = b.col(0);
    lower.triangularView<Eigen::Lower>().solveInPlace(column);
  } else {
    lower.triangularView<Eigen::Lower>().solveInPlace(b);
  }
}

void solve_lower_transposed(const ConstMatrix& lower, Matrix b) {
  if (b.cols() == 1) {
    auto column = b.col(0);
    lower.transpose().triangularView<Eigen::Upper>().solveInPlace(column);
  } else {
    lower.transpose().triangularView<Eigen::Upper>().solveInPlace(b);
  }
}

// Both are views that are written through.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
void invert_from_cholesky(Matrix lower, Matrix inverse) {
  invert_in_place(lower);
  transpose_times_self(lower, inverse);
}

void transposed_product(const ConstMatrix& a, const ConstMatrix& b, Matrix c) {
  c.noalias() = a.transpose() * b;
}

void downdate(Matrix c, const ConstMatrix& b) {
  c.selfadjointView<Eigen::Lower>().rankUpdate(b.transpose(), -1);
}

LikelihoodSums likelihood_sums(const Eigen::MatrixXd& inverse, const Eigen::MatrixXd& covariance,
                               const Eigen::MatrixXd& slope, const Eigen::ArrayXd& alpha,
                               const Eigen::MatrixXd& z, Eigen::VectorXd& by_feature) {
  LikelihoodSums sums{0, 0};
  Eigen::Array<double, kStrip, 1> space;
  for (Index j = 0; j < inverse.rows(); ++j) {
    const double diagonal = alpha[j] * alpha[j] - inverse(j, j);
    sums.trace += diagonal;
    sums.signal += diagonal * covariance(j, j);
    for (Index i = j + 1; i < inverse.rows(); i += kStrip) {
      const Index count = inverse.rows() - i < kStrip ? inverse.rows() - i : kStrip;
      auto w = space.head(count);
      w = alpha[j] * alpha.segment(i, count) - inverse.col(j).segment(i, count).array();
      sums.signal += 2 * (w * covariance.col(j).segment(i, count).array()).sum();
      w *= slope.col(j).segment(i, count).array();
      for (Index f = 0; f < z.cols(); ++f)
        by_feature[f] += 2 * (w * (z.col(f).segment(i, count).array() - z(j, f)).square()).sum();
    }
  }
  return sums;
}

double log_mixture(const Eigen::MatrixXd& points, const Eigen::VectorXd& x, const Eigen::VectorXd& scale,
                   double extra, Eigen::ArrayXd& logs) {
  double top = extra;
  for (Index i = 0; i < points.rows(); i += kStrip) {
    const Index count = points.rows() - i < kStrip ? points.rows() - i : kStrip;
    auto part = logs.segment(i, count);
    for (Index f = 0; f < points.cols(); ++f)
      part -= scale[f] * (points.col(f).segment(i, count).array() - x[f]).square();
    const double here = part.maxCoeff();
    if (here > top) top = here;
  }
  return top + std::log(std::exp(extra - top) + (logs - top).exp().sum());
}

}  // namespace tune::strategies
