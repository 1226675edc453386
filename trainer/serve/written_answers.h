#pragma once
// Answers of a language model to one request, on their way to whoever asked.
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "trainer/serve/generation_queue.h"
#include "trainer/serve/protocols/completions.h"
#include "tuner/http/message.h"

namespace tune::trainer::serve {

// Waits for whole answers. Shared by who asks and the queue's thread. A client that has gone, as
// `is_client_gone` says, ends them.
class WholeAnswers {
 public:
  WholeAnswers(std::size_t count, std::function<bool()> is_client_gone)
      : is_client_gone_(std::move(is_client_gone)), choices_(count), open_(count) {}
  static Listener listener(const std::shared_ptr<WholeAnswers>& answers, std::size_t place);
  // Blocks until all have ended. Throws what one of them failed with.
  std::vector<Choice> wait(std::int64_t& tokens);

 private:
  void add(std::size_t place, const served::Written& piece);
  bool is_waited_for();  // not where one of them has failed, or the client has gone
  void fail(const std::exception_ptr& failure);

  const std::function<bool()> is_client_gone_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<Choice> choices_;
  std::int64_t tokens_ = 0;
  std::size_t open_;
  std::exception_ptr failure_;
};

// Sends pieces as events of a stream. Shared by the listeners of one request, on the queue's thread, and by
// the response: what is written before the stream is there waits. A client that has gone, or reads too
// slowly, ends the answers.
class StreamedAnswers {
 public:
  // `piece_of` makes the event of a piece, `last` an event behind the last of them (null: none), out of the
  // tokens that were written; `failure_of` that of a failure.
  struct Form {
    std::function<OrderedJson(std::size_t place, const served::Written& piece, bool is_first)> piece_of;
    std::function<OrderedJson(std::int64_t tokens)> last;
    std::function<OrderedJson(const std::exception_ptr& failure)> failure_of;
  };
  StreamedAnswers(std::size_t count, Form form) : form_(std::move(form)), begun_(count), open_(count) {}
  static Listener listener(const std::shared_ptr<StreamedAnswers>& answers, std::size_t place);
  void attach(std::shared_ptr<http::ResponseStream> stream);

 private:
  bool add(std::size_t place, const served::Written& piece);
  bool is_read();
  void fail(const std::exception_ptr& failure);
  void send(std::string bytes);  // with the mutex
  void send_event(const OrderedJson& event);
  void end();

  const Form form_;
  std::mutex mutex_;
  std::shared_ptr<http::ResponseStream> stream_;
  std::string held_;  // before there is a stream
  std::vector<bool> begun_;
  std::size_t open_;
  std::int64_t tokens_ = 0;
  bool is_broken_ = false, has_ended_ = false;
};

}  // namespace tune::trainer::serve
