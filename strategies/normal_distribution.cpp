#include "strategies/normal_distribution.h"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace tune::strategies {
namespace {

constexpr double kLogSqrtTwoPi = 0.91893853320467274178;
constexpr double kSqrtHalfPi = 1.2533141373155002512;

double polynomial(const std::array<double, 8>& c, double x) {
  double sum = 0;
  for (std::size_t i = c.size(); i-- > 0;) sum = sum * x + c[i];
  return sum;
}

// 1 - t R(t), with R(t) Mills' ratio: by its asymptotic series for large t, where the difference would
// cancel.
double mills_defect(double t) {
  constexpr double kSeriesFrom = 10;  // 20 terms leave 3e-15 there
  constexpr int kTerms = 20;
  if (t < kSeriesFrom) {
    return 1 - t * kSqrtHalfPi * std::erfc(t / std::numbers::sqrt2) * std::exp(t * t / 2);
  }
  double term = 1 / (t * t);
  double sum = term;
  for (int k = 2; k <= kTerms; ++k) {
    term *= -(2.0 * k - 1) / (t * t);
    sum += term;
  }
  return sum;
}

}  // namespace

double normal_density(double u) { return std::exp(-u * u / 2 - kLogSqrtTwoPi); }

double normal_cumulative(double u) { return std::erfc(-u / std::numbers::sqrt2) / 2; }

double normal_quantile(double p) {
  static constexpr std::array<double, 8> kCentreTop{
      3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
      4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr std::array<double, 8> kCentreBottom{1.0,
                                                       4.2313330701600911252e+1,
                                                       6.8718700749205790830e+2,
                                                       5.3941960214247511077e+3,
                                                       2.1213794301586595867e+4,
                                                       3.9307895800092710610e+4,
                                                       2.8729085735721942674e+4,
                                                       5.2264952788528545610e+3};
  static constexpr std::array<double, 8> kMiddleTop{1.42343711074968357734e0,  4.63033784615654529590e0,
                                                    5.76949722146069140550e0,  3.64784832476320460504e0,
                                                    1.27045825245236838258e0,  2.41780725177450611770e-1,
                                                    2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr std::array<double, 8> kMiddleBottom{1.0,
                                                       2.05319162663775882187e0,
                                                       1.67638483018380384940e0,
                                                       6.89767334985100004550e-1,
                                                       1.48103976427480074590e-1,
                                                       1.51986665636164571966e-2,
                                                       5.47593808499534494600e-4,
                                                       1.05075007164441684324e-9};
  static constexpr std::array<double, 8> kTailTop{6.65790464350110377720e0,  5.46378491116411436990e0,
                                                  1.78482653991729133580e0,  2.96560571828504891230e-1,
                                                  2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                                  2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr std::array<double, 8> kTailBottom{1.0,
                                                     5.99832206555887937690e-1,
                                                     1.36929880922735805310e-1,
                                                     1.48753612908506148525e-2,
                                                     7.86869131145613259100e-4,
                                                     1.84631831751005468180e-5,
                                                     1.42151175831644588870e-7,
                                                     2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kCentreTop, r) / polynomial(kCentreBottom, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double tail = r <= 5 ? polynomial(kMiddleTop, r - 1.6) / polynomial(kMiddleBottom, r - 1.6)
                             : polynomial(kTailTop, r - 5) / polynomial(kTailBottom, r - 5);
  return q < 0 ? -tail : tail;
}

LogImprovement log_improvement(double u) {
  if (u > -1) {
    const double cumulative = normal_cumulative(u);
    const double h = normal_density(u) + u * cumulative;
    return {std::log(h), cumulative / h};
  }
  const double t = -u;
  const double defect = mills_defect(t);
  return {-t * t / 2 - kLogSqrtTwoPi + std::log(defect), (1 - defect) / t / defect};
}

LogCumulative log_cumulative(double u) {
  if (u > -1) {
    const double cumulative = normal_cumulative(u);
    return {std::log(cumulative), normal_density(u) / cumulative};
  }
  const double mills = (1 - mills_defect(-u)) / -u;
  return {u * u / -2 - kLogSqrtTwoPi + std::log(mills), 1 / mills};
}

}  // namespace tune::strategies
