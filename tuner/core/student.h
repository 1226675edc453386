#pragma once
// Student's t: how far chance may carry a mean.

namespace tune {

// Two-sided p-value and the quantile of Student's t with `degrees` (not necessarily whole) of freedom.
double student_two_sided_p(double t, double degrees);
double student_quantile(double probability, double degrees);

}  // namespace tune
