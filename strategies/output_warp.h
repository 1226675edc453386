#pragma once
// Objective values made fit for a Gaussian process.
#include <vector>

namespace tune::strategies {

// A monotone map of losses (smaller is better) to about zero mean and unit variance: shift by the median and
// divide by the spread of the better half, Yeo-Johnson with the power of the largest normal likelihood (Yeo &
// Johnson, "A new family of power transformations to improve normality or symmetry", Biometrika 87(4), 2000),
// standardise, and cap the bad side, so that a diverged trial does not flatten the rest. No power when there
// are few values or the gain in log likelihood is small. An immutable value.
class OutputWarp {
 public:
  // Any finite values, of any magnitude; an empty list or equal values give the map to 0.
  static OutputWarp fit(const std::vector<double>& losses);

  double operator()(double loss) const;
  // The loss of a warped value; infinite where the power's range ends before it.
  double inverse(double warped) const;
  // The variance of the warped value of a loss that has this error; at most that of a whole search.
  double variance(double loss, double deviation) const;
  double power() const { return power_; }  // 1: none

  static constexpr double kCap = 5;

 private:
  double standard(double loss) const;

  double scale_ = 1;               // divides losses first: squares of 1e300 would overflow
  double shift_ = 0, spread_ = 0;  // of the scaled losses
  double power_ = 1;
  double warped_shift_ = 0, warped_spread_ = 1;
};

double yeo_johnson(double z, double power);
// NaN outside the range of yeo_johnson.
double yeo_johnson_inverse(double warped, double power);

}  // namespace tune::strategies
