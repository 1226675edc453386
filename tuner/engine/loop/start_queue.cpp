#include "tuner/engine/loop/start_queue.h"

#include <utility>

namespace tune::engine {

void StartQueue::remove(int trial) {
  std::erase(trials_, trial);
  not_before_.erase(trial);
}

std::optional<int> StartQueue::due(SteadyTime now) const {
  for (const int trial : trials_) {
    const auto wait = not_before_.find(trial);
    if (wait == not_before_.end() || wait->second <= now) return trial;
  }
  return std::nullopt;
}

std::vector<int> StartQueue::take_all() {
  not_before_.clear();
  return std::exchange(trials_, {});
}

}  // namespace tune::engine
