#pragma once
// Runs the rest of a test case once on each level of arithmetic that this processor has.
#include "strategies/dense_kernels.h"
#include "support/catch.h"

namespace tune::test {

inline const strategies::DenseKernels* every_level() {
  const auto& levels = strategies::dense_levels();
  const auto* level = levels[GENERATE(range(std::size_t{0}, strategies::dense_levels().size()))];
  UNSCOPED_INFO("on " << level->name);
  return level;
}

}  // namespace tune::test
