#include "strategies/search_view.h"

#include <algorithm>
#include <memory>

#include "tuner/core/replication.h"

namespace tune::strategies {

std::optional<History> without_replicates(const History& history) {
  const auto is_replicate = [](const auto& trial) { return trial->replicate_of.has_value(); };
  if (std::none_of(history.trials.begin(), history.trials.end(), is_replicate)) return std::nullopt;
  History view = history;
  std::erase_if(view.trials, is_replicate);
  return view;
}

std::optional<History> with_means(const History& history) {
  std::optional<History> view = without_replicates(history);
  if (!view) return view;
  const Replication replication(history.objective.goal, seed_results(history));
  for (const Replication::Candidate& one : replication.candidates()) {
    if (one.fresh.empty()) continue;
    double sum = one.first;
    for (const double value : one.fresh) sum += value;
    const int before = history.trials[static_cast<std::size_t>(one.trial) - 1]->replicates_before;
    auto& place = view->trials[static_cast<std::size_t>(one.trial - before) - 1];
    auto averaged = std::make_shared<TrialView>(*place);
    averaged->values.front() = sum / static_cast<double>(one.fresh.size() + 1);
    place = std::move(averaged);
  }
  return view;
}

}  // namespace tune::strategies
