#include "strategies/price_model.h"

#include <Eigen/Cholesky>
#include <cmath>

namespace tune::strategies {
namespace {

// Fewer say more of chance than of the hyperparameters.
constexpr Eigen::Index kFewestPrices = 4;
// The precision of the prior of a slope, in units of the residuals' variance: over the whole range of a
// parameter a price hardly changes more than e^3 times, and times of single trainings vary by a tenth.
constexpr double kSlopePrecision = 0.1;

}  // namespace

PriceModel PriceModel::fit(const Eigen::MatrixXd& features, const std::vector<double>& prices) {
  PriceModel model;
  const auto rows = static_cast<Eigen::Index>(prices.size());
  if (rows < kFewestPrices) return model;
  Eigen::VectorXd logs(rows);
  for (Eigen::Index i = 0; i < rows; ++i) logs[i] = std::log(prices[static_cast<std::size_t>(i)]);
  logs.array() -= logs.mean();
  model.centre_ = features.colwise().mean().transpose();
  const Eigen::MatrixXd centred = features.rowwise() - model.centre_.transpose();
  Eigen::MatrixXd precision = centred.transpose() * centred;
  precision.diagonal().array() += kSlopePrecision;
  model.slope_ = precision.llt().solve(centred.transpose() * logs);
  return model;
}

double PriceModel::log_price(const Eigen::VectorXd& x) const {
  return slope_.size() == 0 ? 0 : slope_.dot(x - centre_);
}

}  // namespace tune::strategies
