#include "tuner/engine/slurm/command_lane.h"

#include <utility>

namespace tune::engine {

CommandLane::CommandLane(std::function<void()> on_answer)
    : on_answer_(std::move(on_answer)), thread_([this] { work(); }) {}

CommandLane::~CommandLane() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CommandLane::add(Work work) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
  }
  changed_.notify_all();
}

std::vector<CommandLane::Then> CommandLane::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

void CommandLane::wait_until_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !busy_; });
}

void CommandLane::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    const Work next = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    lock.unlock();
    Then then = next();
    lock.lock();
    answers_.push_back(std::move(then));
    busy_ = false;
    changed_.notify_all();
    on_answer_();
  }
}

}  // namespace tune::engine
