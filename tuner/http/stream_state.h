#pragma once
// What a connection and the producer of its streamed response share.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "tuner/http/message.h"

namespace tune::http {

// The bytes between the two. Any thread.
class StreamState {
 public:
  // `wake` tells the connection's thread that there is something to do; it must not block.
  StreamState(std::size_t most_bytes, std::function<void()> wake)
      : most_bytes_(most_bytes), wake_(std::move(wake)) {}

  bool send(std::string bytes, Milliseconds patience);
  bool is_open() const;
  std::size_t waiting_bytes() const;
  void finish(bool is_whole);  // the producer sends no more

  // The connection's side.
  struct Piece {
    std::string bytes;
    bool is_last = false, is_whole = true;
  };
  Piece take();  // all that waits; is_last: nothing will come after it
  void close();  // nothing more is taken; whoever waits to send is told

 private:
  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::function<void()> wake_;
  std::deque<std::string> queue_;
  std::size_t bytes_ = 0;
  bool is_closed_ = false, is_finished_ = false, is_whole_ = true;
};

// The producer's end. When its last owner drops it, the response is complete.
class ProducerEnd final : public ResponseStream {
 public:
  explicit ProducerEnd(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}
  ~ProducerEnd() override { state_->finish(true); }
  bool send(std::string bytes) override { return state_->send(std::move(bytes), Milliseconds(0)); }
  bool send_waiting(std::string bytes, Milliseconds patience) override {
    return state_->send(std::move(bytes), patience);
  }
  bool is_open() const override { return state_->is_open(); }
  std::size_t waiting_bytes() const override { return state_->waiting_bytes(); }
  void abort() override { state_->finish(false); }

 private:
  std::shared_ptr<StreamState> state_;
};

}  // namespace tune::http
