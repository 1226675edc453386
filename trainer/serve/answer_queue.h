#pragma once
// Requests that wait for a model, answered in batches.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "trainer/serve/endpoint_metrics.h"
#include "trainer/served/served_model.h"
#include "tuner/core/clock.h"

namespace tune::trainer::serve {

// What waits is computed together, up to so many examples. A lone request never waits for company: only while
// others are being decoded does a batch that is not full wait for them, and no longer than `batch_wait`.
// On the CPU several batches are computed beside each other where much waits, each with a part of the
// threads, since operators of small networks divide badly; a batch that is alone has all of them. Owned by a
// version; any thread asks. Works on threads of its own until it is destroyed, and then first answers all
// that waits.
class AnswerQueue {
 public:
  struct Settings {
    std::size_t most_waiting = 64;  // examples, those that are being decoded among them
    std::size_t largest_batch = 16;
    Milliseconds batch_wait{2};
    int threads = 1;  // of the CPU; so many images are decoded at once, which bounds their memory
  };
  // The metrics outlive it.
  AnswerQueue(std::shared_ptr<served::Answerer> model, const Settings& settings, EndpointMetrics& metrics);
  ~AnswerQueue();
  AnswerQueue(const AnswerQueue&) = delete;
  AnswerQueue& operator=(const AnswerQueue&) = delete;

  // Blocks until all are answered. Throws Refusal (503) where the queue has no room for them, and where they
  // have no answer at `deadline`; what the model throws, for those that it threw for.
  std::vector<served::Answer> ask(const std::vector<served::Input>& inputs, SteadyTime deadline);

  std::size_t waiting() const { return waiting_; }
  // What is not being computed, and what comes from now on, fails with a Refusal (503): the program ends.
  void give_up();

 private:
  struct Job;
  struct Example {
    std::shared_ptr<Job> job;
    std::size_t place;
  };
  class Places;
  class Decoding;
  void prepare(const std::vector<served::Input>& inputs, SteadyTime deadline, Job& job);
  void put(const std::shared_ptr<Job>& job);
  void work();
  void answer(const std::vector<Example>& batch, int threads);

  const std::shared_ptr<served::Answerer> model_;
  const Settings settings_;
  EndpointMetrics& metrics_;
  std::atomic<std::size_t> waiting_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Example> queue_;
  std::size_t preparing_ = 0;  // requests that will come in soon
  int decoding_ = 0;           // examples of theirs
  std::condition_variable decoded_;
  bool ends_ = false, is_given_up_ = false;
  std::size_t busy_ = 0;  // workers that compute
  std::vector<std::thread> workers_;
};

}  // namespace tune::trainer::serve
