#include "tuner/core/student.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace tune {

double student_two_sided_p(double t, double degrees) {
  if (std::isinf(t)) return 0;
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), std::abs(t)));
}

double student_quantile(double probability, double degrees) {
  return boost::math::quantile(boost::math::students_t(degrees), probability);
}

}  // namespace tune
