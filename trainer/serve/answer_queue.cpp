#include "trainer/serve/answer_queue.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "trainer/serve/protocols/refusal.h"

namespace tune::trainer::serve {
namespace {

constexpr int kRetryAfterSeconds = 1;

Refusal late() { return Refusal::busy("the model has not answered in time", kRetryAfterSeconds); }

}  // namespace

// A request under way. Shared by who asks and by the worker, which may still compute it when its asker has
// given up.
struct AnswerQueue::Job {
  std::vector<std::unique_ptr<const served::Prepared>> inputs;
  std::mutex mutex;
  std::condition_variable done;
  std::vector<std::optional<served::Answer>> answers;
  std::size_t open = 0;
  std::exception_ptr failure;
  std::atomic<bool> is_given_up{false};

  void end(std::size_t place, served::Answer answer) {
    end_one([&] { answers[place] = std::move(answer); });
  }
  void fail(const std::exception_ptr& why) {
    end_one([&] { failure = why; });
  }

 private:
  template <typename Write>
  void end_one(Write&& write) {
    {
      const std::lock_guard lock(mutex);
      write();
      if (--open > 0) return;
    }
    done.notify_all();
  }
};

// The places in the queue that a request takes for as long as it is there.
class AnswerQueue::Places {
 public:
  // A request of more examples than there are places is taken where nothing else waits.
  Places(std::atomic<std::size_t>& taken, std::size_t count, std::size_t most)
      : taken_(taken), count_(count) {
    std::size_t before = taken_;
    do {
      if (before > 0 && before + count > most)
        throw Refusal::busy("too many requests wait for the model already: " + std::to_string(before) +
                                " examples, and " + std::to_string(most) + " may",
                            kRetryAfterSeconds);
    } while (!taken_.compare_exchange_weak(before, before + count));
  }
  ~Places() { taken_ -= count_; }
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

 private:
  std::atomic<std::size_t>& taken_;
  const std::size_t count_;
};

// One example's turn to be decoded. (Not a std::counting_semaphore: libstdc++'s loses wake-ups, GCC bug
// 98033.)
class AnswerQueue::Decoding {
 public:
  Decoding(AnswerQueue& queue, SteadyTime deadline) : queue_(queue) {
    std::unique_lock lock(queue.mutex_);
    const auto is_free = [&] { return queue.decoding_ < std::max(1, queue.settings_.threads); };
    if (std::chrono::steady_clock::now() >= deadline || !queue.decoded_.wait_until(lock, deadline, is_free))
      throw late();
    ++queue.decoding_;
  }
  ~Decoding() {
    {
      const std::lock_guard lock(queue_.mutex_);
      --queue_.decoding_;
    }
    queue_.decoded_.notify_one();
  }
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

 private:
  AnswerQueue& queue_;
};

AnswerQueue::AnswerQueue(std::shared_ptr<served::Answerer> model, const Settings& settings,
                         EndpointMetrics& metrics)
    : model_(std::move(model)), settings_(settings), metrics_(metrics) {
  constexpr int kMostWorkers = 4;
  const int workers = model_->facts().on_device ? 1 : std::clamp(settings.threads, 1, kMostWorkers);
  for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

AnswerQueue::~AnswerQueue() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

std::vector<served::Answer> AnswerQueue::ask(const std::vector<served::Input>& inputs, SteadyTime deadline) {
  const Places places(waiting_, inputs.size(), settings_.most_waiting);
  const auto job = std::make_shared<Job>();
  job->answers.resize(inputs.size());
  job->open = inputs.size();
  struct Preparing {
    explicit Preparing(AnswerQueue& of) : queue(of) {
      const std::lock_guard lock(queue.mutex_);
      ++queue.preparing_;
    }
    ~Preparing() {
      {
        const std::lock_guard lock(queue.mutex_);
        --queue.preparing_;
      }
      queue.changed_.notify_one();
    }
    AnswerQueue& queue;
  };
  {
    const Preparing preparing(*this);
    prepare(inputs, deadline, *job);
    put(job);
  }
  std::unique_lock lock(job->mutex);
  if (!job->done.wait_until(lock, deadline, [&] { return job->open == 0; })) {
    job->is_given_up = true;
    throw late();
  }
  if (job->failure) std::rethrow_exception(job->failure);
  std::vector<served::Answer> answers;
  for (std::optional<served::Answer>& answer : job->answers) answers.push_back(*std::move(answer));
  return answers;
}

void AnswerQueue::prepare(const std::vector<served::Input>& inputs, SteadyTime deadline, Job& job) {
  for (const served::Input& input : inputs) {
    const Decoding turn(*this, deadline);
    job.inputs.push_back(model_->prepare(input));
  }
}

void AnswerQueue::put(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  if (is_given_up_) throw late();
  for (std::size_t i = 0; i < job->inputs.size(); ++i) queue_.push_back({job, i});
}

void AnswerQueue::give_up() {
  std::deque<Example> left;
  {
    const std::lock_guard lock(mutex_);
    is_given_up_ = true;
    left.swap(queue_);
  }
  for (const Example& example : left) example.job->fail(std::make_exception_ptr(late()));
}

void AnswerQueue::work() {
  while (true) {
    std::vector<Example> batch;
    int threads = std::max(1, settings_.threads);
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !queue_.empty() || ends_; });
      if (queue_.empty()) return;
      const auto is_complete = [this] {
        return queue_.size() >= settings_.largest_batch || preparing_ == 0 || ends_;
      };
      changed_.wait_for(lock, settings_.batch_wait, is_complete);
      // The workers that have nothing to do take a share each.
      const std::size_t idle = workers_.size() - busy_;
      const std::size_t share = std::min(settings_.largest_batch, (queue_.size() + idle - 1) / idle);
      while (!queue_.empty() && batch.size() < share) {
        if (!queue_.front().job->is_given_up) batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      if (batch.empty()) continue;
      if (!queue_.empty()) changed_.notify_one();
      const bool is_alone = busy_++ == 0 && queue_.empty() && preparing_ == 0;
      if (!is_alone) threads = std::max(1, threads / static_cast<int>(workers_.size()));
    }
    answer(batch, threads);
    const std::lock_guard lock(mutex_);
    --busy_;
  }
}

void AnswerQueue::answer(const std::vector<Example>& batch, int threads) {
  std::vector<const served::Prepared*> examples;
  for (const Example& example : batch) examples.push_back(example.job->inputs[example.place].get());
  std::vector<served::Answer> answers;
  std::exception_ptr failure;
  try {
    answers = model_->answer(examples, threads);
  } catch (...) {
    failure = std::current_exception();
  }
  // One example that the model fails on is nobody else's fault.
  if (failure && batch.size() > 1) {
    for (const Example& example : batch) answer({example}, threads);
    return;
  }
  metrics_.computed_batch(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (failure)
      batch[i].job->fail(failure);
    else
      batch[i].job->end(batch[i].place, std::move(answers[i]));
}

}  // namespace tune::trainer::serve
