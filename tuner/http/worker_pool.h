#pragma once
// The threads that handlers run on.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tune::http {

// A fixed number of threads and a bounded queue before them. Owned by a Server; any thread submits.
class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t queued);
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when as many wait as may. What is submitted must not throw.
  bool submit(std::function<void()> work);
  std::size_t waiting() const;
  // Drops what waits, and returns when what runs is done. Afterwards nothing can be submitted.
  void stop();

 private:
  void run();

  const std::size_t queued_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool is_stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tune::http
