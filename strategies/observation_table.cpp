#include "strategies/observation_table.h"

#include <algorithm>

namespace tune::strategies {

ObservationTable ObservationTable::up_to(int last) const {
  const auto count = std::upper_bound(trials.begin(), trials.end(), last) - trials.begin();
  ObservationTable table;
  table.features = features.topRows(count);
  table.losses.assign(losses.begin(), losses.begin() + count);
  if (!deviations.empty()) table.deviations.assign(deviations.begin(), deviations.begin() + count);
  table.trials.assign(trials.begin(), trials.begin() + count);
  return table;
}

}  // namespace tune::strategies
