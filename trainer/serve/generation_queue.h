#pragma once
// Prompts that wait for a language model, and the answers that it writes on together.
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "trainer/serve/endpoint_metrics.h"
#include "trainer/served/served_model.h"
#include "tuner/core/clock.h"

namespace tune::trainer::serve {

// Who waits for an answer. Called on the queue's thread, one call after the other, and must not block.
struct Listener {
  // A piece of the answer; the last one has an end. False: nobody listens any more, and the answer is
  // dropped.
  std::function<bool(const served::Written& piece)> on_piece;
  // Instead of a last piece.
  std::function<void(std::exception_ptr failure)> on_failure;
  // Asked before each step, also of answers that have no piece yet: false as above.
  std::function<bool()> listens;
};

// Owned by a version; any thread starts answers. Works on a thread of its own until it is destroyed, and
// then first writes all answers to their ends.
class GenerationQueue {
 public:
  // Answers that are waiting or under way at once; the metrics outlive the queue.
  GenerationQueue(std::shared_ptr<served::Generator> model, std::size_t most, EndpointMetrics& metrics);
  ~GenerationQueue();
  GenerationQueue(const GenerationQueue&) = delete;
  GenerationQueue& operator=(const GenerationQueue&) = delete;

  struct Order {
    served::GenerationRequest request;
    Listener listener;
  };
  // All or none of them: throws Refusal (503) where there is no room. One that has not ended at `deadline`
  // fails with a Refusal (503).
  void start(std::vector<Order> orders, SteadyTime deadline);

  std::size_t open() const { return open_; }  // waiting, or being written
  // What is not written yet fails with a Refusal (503): the program ends.
  void give_up();

 private:
  struct Open {
    Listener listener;
    SteadyTime deadline;
  };
  void work();
  void take_new();
  void hand_out(const std::vector<served::Written>& pieces);
  void end_unwanted();
  void drop(const std::vector<std::uint64_t>& ids);
  void fail(const std::vector<std::uint64_t>& ids, const std::exception_ptr& failure);
  void fail_all(const std::exception_ptr& failure);
  Listener leave(std::uint64_t id);  // its place is free before its listener hears the last of it

  const std::shared_ptr<served::Generator> model_;
  const std::size_t most_;
  EndpointMetrics& metrics_;
  std::atomic<std::size_t> open_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  struct Waiting {
    served::GenerationRequest request;
    Open open;
  };
  std::deque<Waiting> waiting_;
  bool ends_ = false;
  std::atomic<bool> is_given_up_{false};
  std::map<std::uint64_t, Open> under_way_;  // of the worker alone
  std::uint64_t next_id_ = 0;
  std::thread worker_;
};

}  // namespace tune::trainer::serve
