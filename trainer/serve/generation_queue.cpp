#include "trainer/serve/generation_queue.h"

#include <vector>

#include "trainer/serve/protocols/refusal.h"

namespace tune::trainer::serve {
namespace {

constexpr int kRetryAnswerAfterSeconds = 5;

}  // namespace

GenerationQueue::GenerationQueue(std::shared_ptr<served::Generator> model, std::size_t most,
                                 EndpointMetrics& metrics)
    : model_(std::move(model)), most_(most), metrics_(metrics), worker_([this] { work(); }) {}

GenerationQueue::~GenerationQueue() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

void GenerationQueue::start(std::vector<Order> orders, SteadyTime deadline) {
  {
    const std::lock_guard lock(mutex_);
    // More prompts than there are places are taken where nothing else waits.
    if (open_ > 0 && open_ + orders.size() > most_)
      throw Refusal::busy("too many answers are asked for already: " + std::to_string(open_),
                          kRetryAnswerAfterSeconds);
    open_ += orders.size();
    for (Order& order : orders)
      waiting_.push_back({std::move(order.request), {std::move(order.listener), deadline}});
  }
  changed_.notify_one();
}

void GenerationQueue::work() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (under_way_.empty()) changed_.wait(lock, [this] { return !waiting_.empty() || ends_; });
      if (under_way_.empty() && waiting_.empty()) return;
    }
    try {
      take_new();
      end_late_ones();
      const std::vector<served::Written> pieces = model_->step();
      if (!pieces.empty()) metrics_.computed_batch(pieces.size());
      hand_out(pieces);
    } catch (...) {
      fail_all(std::current_exception());
    }
  }
}

void GenerationQueue::take_new() {
  std::deque<Waiting> fresh;
  {
    const std::lock_guard lock(mutex_);
    fresh.swap(waiting_);
  }
  for (Waiting& one : fresh) {
    const std::uint64_t id = next_id_++;
    metrics_.read_tokens(static_cast<std::int64_t>(one.request.prompt.size()));
    under_way_.emplace(id, std::move(one.open));
    model_->begin(id, one.request);
  }
}

void GenerationQueue::hand_out(const std::vector<served::Written>& pieces) {
  for (const served::Written& piece : pieces) {
    metrics_.wrote_tokens(piece.tokens);
    const auto found = under_way_.find(piece.id);
    if (found == under_way_.end()) continue;
    const bool goes_on = found->second.listener.on_piece(piece);
    if (!goes_on && piece.end == served::End::kNone) model_->drop(piece.id);
    if (!goes_on || piece.end != served::End::kNone) forget(piece.id);
  }
}

void GenerationQueue::give_up() { is_given_up_ = true; }

void GenerationQueue::end_late_ones() {
  const SteadyTime now = std::chrono::steady_clock::now();
  std::vector<std::uint64_t> late;
  for (const auto& [id, one] : under_way_)
    if (one.deadline <= now || is_given_up_) late.push_back(id);
  for (const std::uint64_t id : late) {
    model_->drop(id);
    under_way_.at(id).listener.on_failure(std::make_exception_ptr(
        Refusal::busy("the answer was not written in time", kRetryAnswerAfterSeconds)));
    forget(id);
  }
}

void GenerationQueue::fail_all(const std::exception_ptr& failure) {
  while (!under_way_.empty()) {
    const std::uint64_t id = under_way_.begin()->first;
    model_->drop(id);
    under_way_.begin()->second.listener.on_failure(failure);
    forget(id);
  }
}

void GenerationQueue::forget(std::uint64_t id) {
  under_way_.erase(id);
  --open_;
}

}  // namespace tune::trainer::serve
