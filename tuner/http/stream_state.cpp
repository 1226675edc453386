#include "tuner/http/stream_state.h"

namespace tune::http {

bool StreamState::send(std::string bytes, Milliseconds patience) {
  if (bytes.empty()) return is_open();
  std::unique_lock lock(mutex_);
  // A piece that is larger than all room is taken when nothing else waits.
  const auto has_room = [&] { return bytes_ == 0 || bytes_ + bytes.size() <= most_bytes_; };
  if (patience.count() > 0)
    room_.wait_for(lock, patience, [&] { return is_closed_ || is_finished_ || has_room(); });
  if (is_closed_ || is_finished_ || !has_room()) return false;
  bytes_ += bytes.size();
  queue_.push_back(std::move(bytes));
  if (wake_) wake_();
  return true;
}

bool StreamState::is_open() const {
  const std::lock_guard lock(mutex_);
  return !is_closed_ && !is_finished_;
}

std::size_t StreamState::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void StreamState::finish(bool is_whole) {
  const std::lock_guard lock(mutex_);
  if (is_finished_) return;
  is_finished_ = true;
  is_whole_ = is_whole;
  room_.notify_all();
  if (wake_) wake_();
}

StreamState::Piece StreamState::take() {
  const std::lock_guard lock(mutex_);
  Piece piece;
  for (const std::string& bytes : queue_) piece.bytes += bytes;
  queue_.clear();
  bytes_ = 0;
  piece.is_last = is_finished_;
  piece.is_whole = is_whole_;
  room_.notify_all();
  return piece;
}

void StreamState::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  wake_ = nullptr;
  queue_.clear();
  bytes_ = 0;
  room_.notify_all();
}

}  // namespace tune::http
