#include "strategies/observation_table.h"

#include <algorithm>

namespace tune::strategies {

ObservationTable ObservationTable::up_to(int last) const {
  const auto count = std::upper_bound(trials.begin(), trials.end(), last) - trials.begin();
  return {features.topRows(count),
          {losses.begin(), losses.begin() + count},
          {trials.begin(), trials.begin() + count}};
}

}  // namespace tune::strategies
