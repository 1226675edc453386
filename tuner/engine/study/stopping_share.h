#pragma once
// How much of its trials' full trainings a search will take, where a rule stops those that fall behind.
#include <cstdint>

#include "tuner/spec/spec.h"

namespace tune::engine {

struct StoppingShare {
  double mean = 1, low = 1, high = 1;  // of all steps of all trials; low and high: of nine in ten searches
};

// The spec's own rule, tried on made-up trials: so many, with so many evaluations each and so many at once.
// A trial's curve is where it ends, which is drawn from a normal distribution, and an error of the same width
// that shrinks to nothing until then; so the order at first says something of the order at the end, and not
// all. Without a rule, exactly 1. The same for the same arguments.
StoppingShare stopping_share(const Spec& spec, int trials, int parallel, std::int64_t evaluations);

}  // namespace tune::engine
