#pragma once
// How long a training takes, by its hyperparameters.
#include <Eigen/Core>
#include <vector>

namespace tune::strategies {

// Bayesian linear regression of the logarithm of a training's price on the model's features: simple models of
// small variance predict training times well (Lee et al., "Cost-aware Bayesian Optimization",
// arXiv 2003.10870, section 5.2). Prices are relative: only ratios count. An immutable value.
class PriceModel {
 public:
  // Without observations every price is the same.
  PriceModel() = default;
  // `features`: one row a training; `prices` > 0, of a whole training, as many.
  static PriceModel fit(const Eigen::MatrixXd& features, const std::vector<double>& prices);

  // Relative to the mean of the observed ones.
  double log_price(const Eigen::VectorXd& x) const;

 private:
  Eigen::VectorXd centre_, slope_;
};

}  // namespace tune::strategies
