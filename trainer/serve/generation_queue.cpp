#include "trainer/serve/generation_queue.h"

#include "trainer/serve/protocols/refusal.h"

namespace tune::trainer::serve {
namespace {

constexpr int kRetryAnswerAfterSeconds = 5;

// One that cannot take its piece fails alone.
bool tell(const Listener& listener, const served::Written& piece) {
  try {
    return listener.on_piece(piece);
  } catch (...) {
    listener.on_failure(std::current_exception());
    return false;
  }
}

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
      end_unwanted();
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
    try {
      model_->begin(id, one.request);
    } catch (...) {
      fail({id}, std::current_exception());
    }
  }
}

void GenerationQueue::hand_out(const std::vector<served::Written>& pieces) {
  std::vector<std::uint64_t> unheard;
  for (const served::Written& piece : pieces) {
    metrics_.wrote_tokens(piece.tokens);
    if (piece.end != served::End::kNone)
      tell(leave(piece.id), piece);
    else if (!tell(under_way_.at(piece.id).listener, piece))
      unheard.push_back(piece.id);
  }
  drop(unheard);
}

void GenerationQueue::give_up() { is_given_up_ = true; }

void GenerationQueue::end_unwanted() {
  const SteadyTime now = std::chrono::steady_clock::now();
  std::vector<std::uint64_t> late, unheard;
  for (const auto& [id, one] : under_way_)
    if (one.deadline <= now || is_given_up_)
      late.push_back(id);
    else if (!one.listener.listens())
      unheard.push_back(id);
  drop(unheard);
  if (late.empty()) return;
  fail(late, std::make_exception_ptr(
                 Refusal::busy("the answer was not written in time", kRetryAnswerAfterSeconds)));
}

void GenerationQueue::drop(const std::vector<std::uint64_t>& ids) {
  if (ids.empty()) return;
  model_->drop(ids);
  for (const std::uint64_t id : ids) leave(id);
}

void GenerationQueue::fail(const std::vector<std::uint64_t>& ids, const std::exception_ptr& failure) {
  model_->drop(ids);
  for (const std::uint64_t id : ids) leave(id).on_failure(failure);
}

void GenerationQueue::fail_all(const std::exception_ptr& failure) {
  std::vector<std::uint64_t> all;
  for (const auto& [id, one] : under_way_) all.push_back(id);
  fail(all, failure);
}

Listener GenerationQueue::leave(std::uint64_t id) {
  Listener listener = std::move(under_way_.at(id).listener);
  under_way_.erase(id);
  --open_;
  return listener;
}

}  // namespace tune::trainer::serve
