#pragma once
// One question to a strategy, the same for a loop that launches trials and for a caller that asks and tells.
#include <cstdint>
#include <string>

#include "strategies/strategy.h"

namespace tune::engine {

struct Suggested {
  strategies::Answer answer;
  // What a person should know: why the answer is a random point instead of the strategy's, or that the space
  // is used up; else empty.
  std::string notice;
};

// Asks for trial history.next_number(), with the random numbers of (seed, that number). A strategy that
// throws, or answers outside the space, is replaced by a random point.
Suggested suggest(strategies::Strategy& strategy, const SearchSpace& space, std::uint64_t seed,
                  const History& history);

}  // namespace tune::engine
