#pragma once
// Asks the strategy on a thread of its own, so that a slow fit delays no event.
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "tuner/engine/loop/suggest.h"

namespace tune::engine {

// Owned by the loop; every member is called on the loop's thread. One question at a time. The strategy is
// called on the worker's thread only; a strategy that throws, or answers outside the space, is replaced by a
// random point.
class Suggester {
 public:
  // `on_answer` is called on the worker's thread when an answer comes while nobody waits in take().
  Suggester(strategies::Strategy& strategy, const SearchSpace& space, std::uint64_t seed,
            std::function<void()> on_answer);
  ~Suggester();  // waits for the strategy to return
  Suggester(const Suggester&) = delete;
  Suggester& operator=(const Suggester&) = delete;

  bool is_busy() const { return busy_; }
  // `history` must stay unchanged until the answer was taken.
  void ask(const History& history);
  // The answer, waiting for it at most `patience`.
  std::optional<Suggested> take(std::chrono::milliseconds patience);

 private:
  void work();

  strategies::Strategy& strategy_;
  const SearchSpace& space_;
  const std::uint64_t seed_;
  const std::function<void()> on_answer_;
  bool busy_ = false;  // loop's thread only

  std::mutex mutex_;
  std::condition_variable changed_;
  const History* question_ = nullptr;  // guarded by mutex_, as the three below
  std::optional<Suggested> answer_;
  bool watched_ = false;
  bool ending_ = false;
  std::thread worker_;  // last: it uses all of the above
};

}  // namespace tune::engine
