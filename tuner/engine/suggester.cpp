#include "tuner/engine/suggester.h"

#include <signal.h>

#include <exception>
#include <utility>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/rng.h"

namespace tune::engine {
namespace {

// Why the answer cannot be used; empty if it can.
std::string objection(const strategies::Answer& answer, const SearchSpace& space, const History& history) {
  const auto* suggestion = std::get_if<strategies::Suggestion>(&answer);
  if (suggestion == nullptr) return {};
  if (suggestion->resume_trial) {
    const int number = *suggestion->resume_trial;
    const bool paused = number >= 1 && number < history.next_number() &&
                        history.trials[static_cast<std::size_t>(number) - 1]->state == TrialState::kPaused;
    return paused ? std::string() : "it resumes trial " + std::to_string(number) + ", which is not paused";
  }
  if (!(suggestion->budget > 0 && suggestion->budget <= 1)) return "its budget is not in (0, 1]";
  return space.objection(suggestion->parameters).value_or(std::string());
}

strategies::Suggestion random_point(const SearchSpace& space, Rng& rng) {
  std::vector<double> unit(space.size());
  for (double& u : unit) u = rng.uniform();
  return {space.from_unit(unit), 1, std::nullopt, "random, since the strategy failed"};
}

}  // namespace

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
    Suggested suggested = answer(history);
    lock.lock();
    answer_ = std::move(suggested);
    changed_.notify_all();
    if (watched_) continue;
    lock.unlock();
    on_answer_();
    lock.lock();
  }
}

Suggested Suggester::answer(const History& history) const {
  const int number = history.next_number();
  std::string trouble;
  try {
    Rng rng(seed_, static_cast<std::uint64_t>(number));
    strategies::Answer answer = strategy_.suggest(history, rng);
    trouble = objection(answer, space_, history);
    if (trouble.empty()) return {std::move(answer), {}};
  } catch (const std::exception& error) {
    trouble = error.what();
  }
  Rng rng(seed_, static_cast<std::uint64_t>(number));
  return {random_point(space_, rng),
          "trial " + std::to_string(number) + " is a random point, since the strategy failed: " + trouble};
}

}  // namespace tune::engine
