#pragma once
// A density over some parameters of a search space, made of one kernel a trial.
#include <Eigen/Core>
#include <span>
#include <vector>

#include "strategies/encoding.h"
#include "tuner/core/rng.h"

namespace tune::strategies {

// What a density has to know of one parameter.
struct ParzenAxis {
  std::size_t parameter = 0;
  std::vector<double> categories;  // coordinates of the values where their order means nothing, else empty
  double narrowest = 0;            // least width of a kernel: half a cell of a discrete number
};

// sum_k w_k prod_axes kernel_k, one kernel a centre and a uniform one of weight 1 as the prior (Bergstra et
// al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011; products of kernels as in Watanabe,
// "Tree-Structured Parzen Estimator", 2023). On a number's axis a kernel is a normal of width 0.2 n^(-1/(4 +
// axes)), cut to [0, 1] and not narrower than 1/min(100, n + 2); on a category's it is the centre's category
// with a share for all. Densities are in the unit cube, up to the cells of discrete parameters, which are
// the same for every mixture over the same axes. Immutable.
class ParzenMixture {
 public:
  // centres: unit points of the whole space; weights: one each, > 0.
  ParzenMixture(const std::vector<ParzenAxis>& axes, std::span<const UnitPoint* const> centres,
                std::span<const double> weights);

  // Sets the coordinates of the axes in `unit`.
  void draw(UnitPoint& unit, Rng& rng) const;
  double log_density(const UnitPoint& unit) const;

 private:
  struct Column {
    Eigen::Index number = -1;  // its column of numbers_; -1 on a category's axis
    double width = 1;
    Eigen::ArrayXd centres;                               // categories: 0, 1, ...
    double log_same = 0, log_other = 0, chance_same = 0;  // categories
  };
  void add_number(const ParzenAxis& axis, Eigen::Index number, std::span<const UnitPoint* const> centres);
  void add_category(const ParzenAxis& axis, std::span<const UnitPoint* const> centres);

  const std::vector<ParzenAxis>& axes_;
  std::vector<Column> columns_;
  Eigen::MatrixXd numbers_;     // coordinates on the axes of numbers, a row for each kernel
  Eigen::VectorXd precisions_;  // 1 / (2 width^2) on each of them
  Eigen::ArrayXd cumulative_;   // of the weights; the prior comes last
  Eigen::ArrayXd log_factors_;  // log weight and normalisation, one a kernel
  double log_prior_ = 0;
};

}  // namespace tune::strategies
