#include "strategies/gain_model.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

#include "strategies/dense_algebra.h"
#include "tuner/core/moments.h"

namespace tune::strategies {
namespace {

// The prior: noise as if three trials more had shown half of the gains' spread, coefficients that may be far
// off.
constexpr double kNoiseShape = 1.5, kNoiseShare = 0.5, kInterceptVariance = 100, kSlopeVariance = 10;

// What the hyperparameters may explain beside the rest, and over which part of the unit cube's side; by how
// much the likelihood has to be better before they are believed to explain anything.
constexpr double kPlaceVariances[] = {1, 5, 25};
constexpr double kPlaceLength = 1;
constexpr double kWorthIt = 1;

Eigen::VectorXd coefficients_of(double reached, double momentum) {
  return Eigen::Vector3d(std::sqrt(kInterceptVariance), std::sqrt(kSlopeVariance) * reached,
                         std::sqrt(kSlopeVariance) * momentum);
}

Eigen::MatrixXd alike(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  Eigen::MatrixXd covariance(a.rows(), b.rows());
  matern52(a, b, 1, false, covariance, nullptr);
  return covariance;
}

}  // namespace

double GainPrediction::probability_below(double gain) const {
  if (!(spread > 0)) return mean < gain ? 1 : 0;
  return boost::math::cdf(boost::math::students_t(freedom), (gain - mean) / spread);
}

GainModel::Scale GainModel::scale_of(const std::vector<double>& values) {
  Scale scale{mean_of(values), 1};
  const double variance = population_variance(values);
  if (variance > 0 && std::isfinite(variance)) scale.width = std::sqrt(variance);
  return scale;
}

GainModel GainModel::fit(const std::vector<Progress>& earlier, const std::vector<double>& gains,
                         const Eigen::MatrixXd& places) {
  GainModel model;
  std::vector<double> reached, momentum;
  for (const Progress& progress : earlier) {
    reached.push_back(progress.reached);
    momentum.push_back(progress.momentum);
  }
  model.by_reached_ = scale_of(reached);
  model.by_momentum_ = scale_of(momentum);
  model.by_gain_ = scale_of(gains);
  const auto rows = static_cast<Eigen::Index>(gains.size());
  Eigen::VectorXd targets(rows);
  model.coefficients_.resize(3, rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto row = static_cast<std::size_t>(i);
    targets[i] = model.by_gain_(gains[row]);
    model.coefficients_.col(i) =
        coefficients_of(model.by_reached_(reached[row]), model.by_momentum_(momentum[row]));
  }
  const Eigen::MatrixXd linear = model.coefficients_.transpose() * model.coefficients_;
  model.shape_ = kNoiseShape + static_cast<double>(rows) / 2;
  const double prior_rate = kNoiseShape * kNoiseShare * kNoiseShare;
  double best = -std::numeric_limits<double>::infinity();
  const auto consider = [&](double variance, const Eigen::MatrixXd& covariance, double price) {
    Eigen::MatrixXd factor = covariance;
    factor.diagonal().array() += 1;
    if (!cholesky(factor)) return;
    Eigen::MatrixXd weights = targets;
    solve_lower(factor, weights);
    const double rate = prior_rate + weights.squaredNorm() / 2;
    const double likelihood = -factor.diagonal().array().log().sum() - model.shape_ * std::log(rate) - price;
    if (!(likelihood > best)) return;
    best = likelihood;
    solve_lower_transposed(factor, weights);
    model.place_variance_ = variance;
    model.factor_ = std::move(factor);
    model.weights_ = weights;
    model.rate_ = rate;
  };
  consider(0, linear, 0);
  if (places.cols() == 0) return model;
  model.places_ = places / kPlaceLength;
  const Eigen::MatrixXd near = alike(model.places_, model.places_);
  for (const double variance : kPlaceVariances) consider(variance, linear + variance * near, kWorthIt);
  return model;
}

GainPrediction GainModel::predict(const Progress& now, const Eigen::VectorXd& place) const {
  const Eigen::VectorXd at = coefficients_of(by_reached_(now.reached), by_momentum_(now.momentum));
  Eigen::MatrixXd covariance = coefficients_.transpose() * at;
  double own = at.squaredNorm();
  if (place_variance_ > 0) {
    covariance += place_variance_ * alike(places_, place.transpose() / kPlaceLength);
    own += place_variance_;
  }
  const double mean = covariance.col(0).dot(weights_);
  solve_lower(factor_, covariance);
  const double variance = rate_ / shape_ * (1 + std::max(own - covariance.squaredNorm(), 0.0));
  return {by_gain_.middle + by_gain_.width * mean, by_gain_.width * std::sqrt(variance), 2 * shape_};
}

}  // namespace tune::strategies
