#pragma once
// A random order that is the same on every machine: std::shuffle's differs between standard libraries.
#include <cstddef>
#include <utility>
#include <vector>

#include "tuner/core/rng.h"

namespace tune {

// Fisher and Yates' shuffle, from the last item to the first.
template <typename Item>
void shuffle(std::vector<Item>& items, Rng& rng) {
  for (std::size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[rng.below(left)]);
}

}  // namespace tune
