#include "strategies/search_view.h"

#include <memory>

#include "tuner/core/replication.h"

namespace tune::strategies {
namespace {

bool is_apart(const TrialView& trial) { return trial.replicate_of || trial.role == SearchRole::kRepeat; }

}  // namespace

std::optional<History> without_repeats(const History& history) {
  if (history.trials.empty()) return std::nullopt;
  // The last trial tells how many there are, without a look at the others.
  const TrialView& last = *history.trials.back();
  if (last.apart_before == 0 && !is_apart(last)) return std::nullopt;
  History view = history;
  std::erase_if(view.trials, [](const auto& trial) { return is_apart(*trial); });
  view.repeats = 0;
  return view;
}

std::optional<History> with_means(const History& history) {
  std::optional<History> view = without_repeats(history);
  if (!view) return view;
  const Replication replication(history.objective.goal, seed_results(history));
  for (const Replication::Candidate& one : replication.candidates()) {
    if (one.fresh.empty()) continue;
    double sum = one.first;
    for (const double value : one.fresh) sum += value;
    const int before = history.trials[static_cast<std::size_t>(one.trial) - 1]->apart_before;
    auto& place = view->trials[static_cast<std::size_t>(one.trial - before) - 1];
    auto averaged = std::make_shared<TrialView>(*place);
    averaged->values.front() = sum / static_cast<double>(one.fresh.size() + 1);
    place = std::move(averaged);
  }
  return view;
}

}  // namespace tune::strategies
