#include "trainer/data/in_parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tune::trainer::data {

bool in_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
                 const std::function<void(std::size_t)>& after, const std::function<bool()>& interrupted) {
  if (!after && !interrupted && (threads <= 1 || count <= 1)) {
    for (std::size_t i = 0; i < count; ++i) work(i);
    return true;
  }
  constexpr std::chrono::milliseconds kLook{100};
  std::atomic<std::size_t> next{0}, done{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::condition_variable some_ended;
  std::exception_ptr failure;
  std::size_t running = std::min(static_cast<std::size_t>(std::max(threads, 1)), count);
  const auto run = [&] {
    while (!stop) {
      const std::size_t i = next++;
      if (i >= count) break;
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        stop = true;
      }
      ++done;
    }
    const std::lock_guard lock(mutex);
    --running;
    some_ended.notify_one();
  };
  bool was_interrupted = false;
  {
    std::vector<std::jthread> workers;
    for (std::size_t t = running; t > 0; --t) workers.emplace_back(run);
    std::unique_lock lock(mutex);
    while (running > 0) {
      some_ended.wait_for(lock, kLook);
      if (running == 0) break;
      lock.unlock();
      if (after) after(done);
      if (interrupted && interrupted()) was_interrupted = stop = true;
      lock.lock();
    }
  }
  if (failure) std::rethrow_exception(failure);
  if (after) after(done);
  return !was_interrupted;
}

}  // namespace tune::trainer::data
