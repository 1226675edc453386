#include "trainer/serve/answer_queue.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "trainer/serve/protocols/refusal.h"

namespace tune::trainer::serve {
namespace {

constexpr int kRetryAfterSeconds = 1;

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
};

AnswerQueue::AnswerQueue(std::shared_ptr<served::Answerer> model, const Settings& settings,
                         EndpointMetrics& metrics)
    : model_(std::move(model)),
      settings_(settings),
      metrics_(metrics),
      decoding_(std::max(1, settings.threads)) {
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
  struct Places {
    Places(std::atomic<std::size_t>& taken, std::size_t of) : waiting(taken), count(of) { waiting += count; }
    ~Places() { waiting -= count; }
    std::atomic<std::size_t>& waiting;
    const std::size_t count;
  };
  const Places places(waiting_, inputs.size());
  // A request of more examples than there are places is taken where nothing else waits.
  if (waiting_ > settings_.most_waiting && waiting_ != inputs.size())
    throw Refusal::busy("too many requests wait for the model already: " +
                            std::to_string(settings_.most_waiting) + " examples",
                        kRetryAfterSeconds);
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
    for (const served::Input& input : inputs) {
      if (!decoding_.try_acquire_until(deadline))
        throw Refusal::busy("the requests before this one are not read in time", kRetryAfterSeconds);
      const std::unique_ptr<std::counting_semaphore<>, void (*)(std::counting_semaphore<>*)> permit(
          &decoding_, [](std::counting_semaphore<>* of) { of->release(); });
      job->inputs.push_back(model_->prepare(input));
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < inputs.size(); ++i) queue_.push_back({job, i});
  }
  std::unique_lock lock(job->mutex);
  if (!job->done.wait_until(lock, deadline, [&] { return job->open == 0; })) {
    job->is_given_up = true;
    throw Refusal::busy("the model has not answered in time", kRetryAfterSeconds);
  }
  if (job->failure) std::rethrow_exception(job->failure);
  std::vector<served::Answer> answers;
  for (std::optional<served::Answer>& answer : job->answers) answers.push_back(*std::move(answer));
  return answers;
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
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Job& job = *batch[i].job;
    bool is_done = false;
    {
      const std::lock_guard lock(job.mutex);
      if (failure)
        job.failure = failure;
      else
        job.answers[batch[i].place] = std::move(answers[i]);
      is_done = --job.open == 0;
    }
    if (is_done) job.done.notify_all();
  }
}

}  // namespace tune::trainer::serve
