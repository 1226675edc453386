#include "tuner/core/student.h"

#include "support/catch.h"

namespace tune {
namespace {

TEST_CASE("Student's t has the quantiles of the tables, also between whole degrees") {
  CHECK(student_quantile(0.975, 1) == Approx(12.7062).epsilon(1e-5));
  CHECK(student_quantile(0.975, 4) == Approx(2.77645).epsilon(1e-5));
  CHECK(student_quantile(0.8, 10) == Approx(0.879058).epsilon(1e-5));
  CHECK(student_two_sided_p(2.77645, 4) == Approx(0.05).epsilon(1e-4));
  CHECK(student_two_sided_p(-12.7062, 1) == Approx(0.05).epsilon(1e-4));
  CHECK(student_two_sided_p(0, 3) == 1);
  const double between = student_quantile(0.975, 4.5);
  CHECK(between < student_quantile(0.975, 4));
  CHECK(between > student_quantile(0.975, 5));
}

}  // namespace
}  // namespace tune
