// One level of DenseKernels. Compiled once for each level, with that level's instructions, and with Eigen
// renamed to a namespace of the level: so no inline function is shared with code for other processors.
#include <Eigen/Cholesky>

#include "strategies/dense_kernels.h"

namespace tune::strategies::TUNE_LEVEL {
namespace {

using Eigen::Index;
using Matrix = Eigen::Map<Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
using ConstMatrix = Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
using Block = Eigen::Ref<Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
using ConstBlock = Eigen::Ref<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>;

Matrix matrix(const View& v) { return {v.data, v.rows, v.columns, Eigen::OuterStride<>(v.stride)}; }
ConstMatrix matrix(const ConstView& v) { return {v.data, v.rows, v.columns, Eigen::OuterStride<>(v.stride)}; }

// Few enough values at a time to stay in the nearest cache through all passes over them.
constexpr Index kStrip = 256;

void matern(ConstView a_view, ConstView b_view, double signal, bool half, View covariance_view,
            View slope_view) {
  const ConstMatrix a = matrix(a_view), b = matrix(b_view);
  Matrix covariance = matrix(covariance_view), slope = matrix(slope_view);
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
      if (slope_view.data) slope.col(j).segment(i, count) = ((-5.0 / 6.0) * (1 + t) * decay).matrix();
    }
  }
}

bool factor(View view) {
  Matrix m = matrix(view);
  Block block(m);
  return Eigen::LLT<Block>(block).info() == Eigen::Success;
}

void solve(ConstView lower, View b_view) {
  Matrix b = matrix(b_view);
  if (b.cols() == 1) {
    auto column = b.col(0);
    matrix(lower).triangularView<Eigen::Lower>().solveInPlace(column);
  } else {
    matrix(lower).triangularView<Eigen::Lower>().solveInPlace(b);
  }
}

void solve_transposed(ConstView lower, View b_view) {
  Matrix b = matrix(b_view);
  if (b.cols() == 1) {
    auto column = b.col(0);
    matrix(lower).transpose().triangularView<Eigen::Upper>().solveInPlace(column);
  } else {
    matrix(lower).transpose().triangularView<Eigen::Upper>().solveInPlace(b);
  }
}

constexpr Index kSmall = 32;  // below it recursion costs more than it saves

// [A 0; B C]^-1 = [A^-1 0; -C^-1 B A^-1 C^-1].
void invert_in_place(Block m) {
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
void transpose_times_self(const ConstBlock& m, Block result) {
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

void invert(View lower, View inverse) {
  Matrix in = matrix(lower), out = matrix(inverse);
  invert_in_place(in);
  transpose_times_self(in, out);
}

void product(ConstView a, ConstView b, View c) { matrix(c).noalias() = matrix(a).transpose() * matrix(b); }

void downdate(View c, ConstView b) {
  matrix(c).selfadjointView<Eigen::Lower>().rankUpdate(matrix(b).transpose(), -1);
}

LikelihoodSums likelihood_sums(ConstView inverse_view, ConstView covariance_view, ConstView slope_view,
                               const double* alpha_data, ConstView z_view, double* by_feature) {
  const ConstMatrix inverse = matrix(inverse_view), covariance = matrix(covariance_view),
                    slope = matrix(slope_view), z = matrix(z_view);
  const Eigen::Map<const Eigen::ArrayXd> alpha(alpha_data, inverse.rows());
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

double log_mixture(ConstView points_view, const double* x, const double* scale, double extra,
                   double* logs_data) {
  const ConstMatrix points = matrix(points_view);
  double top = extra;
  for (Index i = 0; i < points.rows(); i += kStrip) {
    const Index count = points.rows() - i < kStrip ? points.rows() - i : kStrip;
    Eigen::Map<Eigen::ArrayXd> logs(logs_data + i, count);
    for (Index f = 0; f < points.cols(); ++f)
      logs -= scale[f] * (points.col(f).segment(i, count).array() - x[f]).square();
    const double here = logs.maxCoeff();
    if (here > top) top = here;
  }
  const Eigen::Map<const Eigen::ArrayXd> logs(logs_data, points.rows());
  return top + std::log(std::exp(extra - top) + (logs - top).exp().sum());
}

}  // namespace

extern const DenseKernels kKernels;
const DenseKernels kKernels{TUNE_LEVEL_NAME, matern,  factor,   solve,           solve_transposed,
                            invert,          product, downdate, likelihood_sums, log_mixture};

}  // namespace tune::strategies::TUNE_LEVEL
