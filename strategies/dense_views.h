#pragma once
// Eigen's matrices as the views that DenseKernels take.
#include <Eigen/Core>

#include "strategies/dense_kernels.h"

namespace tune::strategies {

using MatrixRef = Eigen::Ref<Eigen::MatrixXd, 0, Eigen::OuterStride<>>;

inline View view(MatrixRef m) { return {m.data(), m.rows(), m.cols(), m.outerStride()}; }
// The argument has to be in memory as it is: a copy that Eigen made of an expression would be gone.
inline ConstView const_view(const Eigen::MatrixXd& m) { return {m.data(), m.rows(), m.cols(), m.rows()}; }
constexpr View kNoView{nullptr, 0, 0, 0};

}  // namespace tune::strategies
