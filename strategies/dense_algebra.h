#pragma once
// The arithmetic that suggestions spend their time on. Compiled with optimisation in every build, and for
// every x86-64 processor alike, so that sums round the same on all of them.
#include <Eigen/Core>

namespace tune::strategies {

// Parts of matrices of doubles, column by column.
using Matrix = Eigen::Ref<Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
using ConstMatrix = Eigen::Ref<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>;

// The Matern-5/2 kernel of each pair of rows of a (n x d) and b (m x d), features divided by their lengths,
// and, unless it is null, its derivative by squared distance; both n x m. With `half` a and b are the same
// and only the lower half is filled. (Rasmussen and Williams 2006, equation 4.17.)
void matern52(const ConstMatrix& a, const ConstMatrix& b, double signal, bool half, Matrix covariance,
              Matrix* slope);

// `lower` is a lower triangular matrix: what lies above its diagonal is not read.

// The Cholesky factor in place, of the lower half; false when the matrix is not positive definite.
bool cholesky(Matrix matrix);
// b = lower^-1 b, and b = lower^-T b.
void solve_lower(const ConstMatrix& lower, Matrix b);
void solve_lower_transposed(const ConstMatrix& lower, Matrix b);
// The lower half of (lower lower^T)^-1; `lower` becomes its own inverse.
void invert_from_cholesky(Matrix lower, Matrix inverse);
// c = a^T b.
void transposed_product(const ConstMatrix& a, const ConstMatrix& b, Matrix c);
// The lower half of c -= b^T b.
void downdate(Matrix c, const ConstMatrix& b);

// What the gradient of a marginal likelihood sums up over all pairs of points.
struct LikelihoodSums {
  double signal;  // sum of w_ij k_ij
  double trace;   // sum of w_ii
};
// With w = alpha alpha^T - inverse and points z (n x d): for each feature f adds to by_feature[f] the sum of
// w_ij slope_ij (z_if - z_jf)^2. Lower halves are read. (Rasmussen and Williams 2006, equation 5.9.)
LikelihoodSums likelihood_sums(const Eigen::MatrixXd& inverse, const Eigen::MatrixXd& covariance,
                               const Eigen::MatrixXd& slope, const Eigen::ArrayXd& alpha,
                               const Eigen::MatrixXd& z, Eigen::VectorXd& by_feature);

// logs[i] -= sum over f of scale[f] (points_if - x[f])^2 for each row of `points`; returns log(exp(extra) +
// sum_i exp(logs[i])).
double log_mixture(const Eigen::MatrixXd& points, const Eigen::VectorXd& x, const Eigen::VectorXd& scale,
                   double extra, Eigen::ArrayXd& logs);

}  // namespace tune::strategies
