#pragma once
// How old something is that was made or looked at.
#include "tuner/core/clock.h"

namespace tune::serve {

inline Milliseconds age_of(SteadyTime made) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - made);
}

}  // namespace tune::serve
