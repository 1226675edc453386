#pragma once
// The arithmetic that suggestions spend their time on, compiled for several generations of processors.
#include <cstddef>
#include <string_view>
#include <vector>

namespace tune::strategies {

// Matrices of doubles, column by column, `stride` apart. Plain pointers: code for newer processors must share
// no inline function with the rest of the program, since the linker keeps only one copy of each.
struct ConstView {
  const double* data;
  std::ptrdiff_t rows, columns, stride;
};
struct View {
  double* data;
  std::ptrdiff_t rows, columns, stride;
  operator ConstView() const { return {data, rows, columns, stride}; }
};

// What the gradient of a marginal likelihood sums up over all pairs of points.
struct LikelihoodSums {
  double signal;  // sum of w_ij k_ij
  double trace;   // sum of w_ii
};

// One level. Results differ between levels by rounding alone; on one level they are the same on every
// machine with the same C library. `lower`: a lower triangular matrix; what lies above its diagonal is not
// read.
struct DenseKernels {
  const char* name;
  // The Matern-5/2 kernel of each pair of rows of a (n x d) and b (m x d), features divided by their lengths,
  // and, unless its data is null, its derivative by squared distance; both n x m. With `half` a and b are the
  // same and only the lower half is filled.
  void (*matern)(ConstView a, ConstView b, double signal, bool half, View covariance, View slope);
  // The Cholesky factor in place, of the lower half; false when the matrix is not positive definite.
  bool (*factor)(View matrix);
  // b = lower^-1 b, and b = lower^-T b.
  void (*solve)(ConstView lower, View b);
  void (*solve_transposed)(ConstView lower, View b);
  // The lower half of (lower lower^T)^-1; `lower` becomes its own inverse.
  void (*invert)(View lower, View inverse);
  // c = a^T b.
  void (*product)(ConstView a, ConstView b, View c);
  // The lower half of c -= b^T b.
  void (*downdate)(View c, ConstView b);
  // With w = alpha alpha^T - inverse and points z (n x d): for each feature f adds to by_feature[f] the sum
  // of w_ij slope_ij (z_if - z_jf)^2. Lower halves are read.
  LikelihoodSums (*likelihood_sums)(ConstView inverse, ConstView covariance, ConstView slope,
                                    const double* alpha, ConstView z, double* by_feature);
  // logs[i] -= sum over f of scale[f] (points_if - x[f])^2 for each row of `points`; returns log(exp(extra) +
  // sum_i exp(logs[i])).
  double (*log_mixture)(ConstView points, const double* x, const double* scale, double extra, double* logs);
};

// The level in use: what TUNE_SIMD names, else the best that this processor has. Throws Error(kEnvironment)
// where TUNE_SIMD names a level that is unknown or that this processor lacks.
const DenseKernels& dense_kernels();

// Those that this processor can run, the one for every processor first.
const std::vector<const DenseKernels*>& dense_levels();

// For the rest of its life all arithmetic is of `level`. For tests, which hold levels against each other; not
// while another thread computes.
class FixedLevel {
 public:
  explicit FixedLevel(const DenseKernels& level);
  ~FixedLevel();
  FixedLevel(const FixedLevel&) = delete;
  FixedLevel& operator=(const FixedLevel&) = delete;

 private:
  const DenseKernels* before_;
};

}  // namespace tune::strategies
