#pragma once
// What trials still gain on their way, learned from those that have gone it.
#include <Eigen/Core>
#include <vector>

namespace tune::strategies {

// How a trial stands on its way, in any units of the metric.
struct Progress {
  double reached = 0;   // by now
  double momentum = 0;  // what of it came in the second half of its steps
};

// What a trial still gains: Student's t.
struct GainPrediction {
  double mean = 0, spread = 0;                  // location and scale, in the metric's units
  double freedom = 1;                           // degrees of freedom, > 2
  double probability_below(double gain) const;  // in [0, 1]
  double variance() const { return spread * spread * freedom / (freedom - 2); }
};

// Bayesian regression of the gain on a constant, `reached` and `momentum`, with the conjugate
// normal-inverse-gamma prior (Gelman et al., "Bayesian Data Analysis", 3rd ed., section 14.8), and on the
// hyperparameters, by a Gaussian process of which the data says how much it explains, if anything
// (Rasmussen & Williams 2006, sections 2.7 and 5.4.1). Quantities are centred and scaled to what the trials
// show. The coefficients' priors are normal around 0 and wide, since narrow ones would draw the gains of the
// best trials, which lie at the edge, to the middle. An immutable value.
class GainModel {
 public:
  // As many of `earlier` as of `gains`, at least two, all finite. `places`: a row of features for each, with
  // all features of about unit range; or none (no columns), and the hyperparameters play no part. O(n^3).
  static GainModel fit(const std::vector<Progress>& earlier, const std::vector<double>& gains,
                       const Eigen::MatrixXd& places);
  // `place`: empty where fit() had none.
  GainPrediction predict(const Progress& now, const Eigen::VectorXd& place) const;

 private:
  struct Scale {
    double middle = 0, width = 1;
    double operator()(double value) const { return (value - middle) / width; }
  };
  static Scale scale_of(const std::vector<double>& values);

  Scale by_reached_, by_momentum_, by_gain_;
  Eigen::MatrixXd coefficients_;  // rows: 1, reached, momentum, each times the root of its prior variance
  Eigen::MatrixXd places_;
  double place_variance_ = 0;  // of what the hyperparameters explain, in units of the rest
  Eigen::MatrixXd factor_;     // of the covariance of the gains, in the same units
  Eigen::VectorXd weights_;
  double shape_ = 0, rate_ = 0;  // of the posterior of the unit
};

}  // namespace tune::strategies
