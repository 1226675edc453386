#include "trainer/loop/plan_length.h"

#include <algorithm>
#include <cmath>

namespace tune::trainer::loop {

PlanLength length_of(const Plan& plan, std::int64_t batches) {
  const double per_epoch =
      std::max(1.0, std::ceil(static_cast<double>(batches) / static_cast<double>(plan.accumulate)));
  PlanLength length{static_cast<double>(plan.epochs), 0, 0};
  if (plan.max_steps > 0 && plan.epochs > 0) length.epochs = static_cast<double>(plan.max_steps) / per_epoch;
  length.steps = static_cast<std::int64_t>(std::llround(length.epochs * per_epoch));
  if (plan.evaluation_steps > 0)
    length.evaluations = (length.steps + plan.evaluation_steps - 1) / plan.evaluation_steps;
  else
    length.evaluations = static_cast<std::int64_t>(std::ceil(length.epochs - 1e-9));
  length.evaluations = std::max<std::int64_t>(1, length.evaluations);
  return length;
}

PlanLength least_length_of(const Plan& plan, std::int64_t batches) {
  const PlanLength whole = length_of(plan, batches);
  const EarlyStopping& stopping = plan.early_stopping;
  if (stopping.patience == 0) return whole;
  // The first evaluation improves on nothing, and so many do not improve on it.
  const double between =
      plan.evaluation_steps > 0 && whole.steps > 0
          ? whole.epochs * static_cast<double>(plan.evaluation_steps) / static_cast<double>(whole.steps)
          : 1;
  PlanLength least;
  least.epochs = std::max(static_cast<double>(stopping.patience + 1) * between,
                          static_cast<double>(stopping.first_epoch));
  if (least.epochs >= whole.epochs) return whole;
  const double part = least.epochs / whole.epochs;
  least.steps = static_cast<std::int64_t>(std::ceil(part * static_cast<double>(whole.steps)));
  least.evaluations =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(least.epochs / between - 1e-9)));
  return least;
}

}  // namespace tune::trainer::loop
