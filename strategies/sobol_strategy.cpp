#include "strategies/sobol_strategy.h"

#include "strategies/point_key.h"

namespace tune::strategies {

SobolStrategy::SobolStrategy(SearchSpace space, std::uint64_t seed)
    : space_(std::move(space)), points_(space_.cardinality()), sequence_(space_.size(), seed) {}

Answer SobolStrategy::suggest(const History& history, Rng&) {
  const int number = history.next_number();
  Suggestion suggestion;
  suggestion.parameters = space_.from_unit(sequence_.point(static_cast<std::uint32_t>(number - 1)));
  suggestion.note = "Sobol point " + std::to_string(number);
  if (space_.size() > SobolSequence::kTabulated) {
    suggestion.note += "; parameters past the " + std::to_string(SobolSequence::kTabulated) +
                       "th are uniformly random, since there are no direction numbers for them";
  }
  suggestion.space_is_used_up = space_.size() > 0 && is_used_up(space_, points_, history);
  if (suggestion.space_is_used_up) suggestion.note += "; it repeats a point, since every one has been tried";
  return suggestion;
}

}  // namespace tune::strategies
