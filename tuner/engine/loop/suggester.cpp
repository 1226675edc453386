#include "tuner/engine/loop/suggester.h"

#include <signal.h>

#include <utility>

#include "tuner/core/error.h"

namespace tune::engine {
Suggester::Suggester(strategies::Strategy& strategy, const SearchSpace& space, std::uint64_t seed,
                     std::function<void()> on_answer)
    : strategy_(strategy), space_(space), seed_(seed), on_answer_(std::move(on_answer)) {
  // Signals are for the loop's thread: its wait is what they interrupt.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  worker_ = std::thread([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Suggester::~Suggester() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

void Suggester::ask(const History& history) {
  TUNE_CHECK(!busy_);
  busy_ = true;
  {
    const std::lock_guard lock(mutex_);
    question_ = &history;
  }
  changed_.notify_all();
}

std::optional<Suggested> Suggester::take(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  watched_ = true;
  changed_.wait_for(lock, patience, [this] { return answer_.has_value(); });
  watched_ = false;
  if (!answer_) return std::nullopt;
  busy_ = false;
  return std::exchange(answer_, std::nullopt);
}

void Suggester::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || question_ != nullptr; });
    if (ending_) return;
    const History& history = *std::exchange(question_, nullptr);
    lock.unlock();
    Suggested suggested = suggest(strategy_, space_, seed_, history);
    lock.lock();
    answer_ = std::move(suggested);
    changed_.notify_all();
    if (watched_) continue;
    lock.unlock();
    on_answer_();
    lock.lock();
  }
}

}  // namespace tune::engine
