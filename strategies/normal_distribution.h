#pragma once
// The standard normal distribution and the improvement function of expected improvement, accurate in the
// tails.

namespace tune::strategies {

double normal_density(double u);
double normal_cumulative(double u);
// The inverse of normal_cumulative for p in (0, 1).
double normal_quantile(double p);

// log h(u) and its derivative, where h(u) = density(u) + u * cumulative(u) = E[max(u + Z, 0)], Z standard
// normal. Finite for every u above -1e150: the logarithm does not underflow where h does (Ament et al.,
// "Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023).
struct LogImprovement {
  double value;
  double slope;
};
LogImprovement log_improvement(double u);

// log normal_cumulative(u) and its derivative, as far into the tail.
struct LogCumulative {
  double value;
  double slope;
};
LogCumulative log_cumulative(double u);

}  // namespace tune::strategies
