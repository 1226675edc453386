#pragma once
// How long a plan trains.
#include <cstdint>

#include "trainer/loop/plan.h"

namespace tune::trainer::loop {

// What a plan comes to with so many batches in an epoch.
struct PlanLength {
  double epochs = 0;
  std::int64_t steps = 0, evaluations = 0;
};
PlanLength length_of(const Plan& plan, std::int64_t batches);
// The same to where early stopping by itself may end it first.
PlanLength least_length_of(const Plan& plan, std::int64_t batches);

}  // namespace tune::trainer::loop
