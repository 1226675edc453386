#include "trainer/serve/written_answers.h"

#include <utility>

namespace tune::trainer::serve {

Listener WholeAnswers::listener(const std::shared_ptr<WholeAnswers>& answers, std::size_t place) {
  return {[answers, place](const served::Written& piece) {
            answers->add(place, piece);
            return true;
          },
          [answers](const std::exception_ptr& failure) { answers->fail(failure); },
          [answers] { return answers->is_waited_for(); }};
}

void WholeAnswers::add(std::size_t place, const served::Written& piece) {
  {
    const std::lock_guard lock(mutex_);
    Choice& choice = choices_[place];
    choice.text += piece.text;
    choice.scores.insert(choice.scores.end(), piece.scores.begin(), piece.scores.end());
    choice.end = piece.end;
    tokens_ += piece.tokens;
    if (piece.end == served::End::kNone || --open_ > 0) return;
  }
  ended_.notify_all();
}

void WholeAnswers::fail(const std::exception_ptr& failure) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
  }
  ended_.notify_all();
}

bool WholeAnswers::is_waited_for() {
  constexpr int kClientClosedRequest = 499;  // nginx's, for logs: nobody reads it
  const bool is_gone = is_client_gone_();
  if (is_gone)
    fail(std::make_exception_ptr(
        Refusal::with_status(kClientClosedRequest, "the client has closed its connection")));
  const std::lock_guard lock(mutex_);
  return !failure_;
}

std::vector<Choice> WholeAnswers::wait(std::int64_t& tokens) {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return open_ == 0 || failure_; });
  if (failure_) std::rethrow_exception(failure_);
  tokens = tokens_;
  return choices_;
}

Listener StreamedAnswers::listener(const std::shared_ptr<StreamedAnswers>& answers, std::size_t place) {
  return {[answers, place](const served::Written& piece) { return answers->add(place, piece); },
          [answers](const std::exception_ptr& failure) { answers->fail(failure); },
          [answers] { return answers->is_read(); }};
}

bool StreamedAnswers::is_read() {
  const std::lock_guard lock(mutex_);
  if (stream_ && !stream_->is_open()) is_broken_ = true;
  return !is_broken_ && !has_ended_;
}

void StreamedAnswers::attach(std::shared_ptr<http::ResponseStream> stream) {
  const std::lock_guard lock(mutex_);
  stream_ = std::move(stream);
  if (!held_.empty()) send(std::exchange(held_, {}));
  if (has_ended_) stream_.reset();
}

void StreamedAnswers::send(std::string bytes) {
  if (is_broken_) return;
  if (!stream_) {
    held_ += bytes;
  } else if (!stream_->send(std::move(bytes))) {
    stream_->abort();
    is_broken_ = true;
  }
}

void StreamedAnswers::send_event(const OrderedJson& event) {
  send("data: " + event.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n\n");
}

// The response is complete once nobody holds its stream.
void StreamedAnswers::end() {
  has_ended_ = true;
  stream_.reset();
}

bool StreamedAnswers::add(std::size_t place, const served::Written& piece) {
  const std::lock_guard lock(mutex_);
  if (has_ended_) return false;
  const bool is_first = !begun_[place], is_end = piece.end != served::End::kNone;
  tokens_ += piece.tokens;
  if (stream_ && !stream_->is_open()) is_broken_ = true;
  // A piece without a text is a token that completes no character yet.
  if (piece.text.empty() && piece.scores.empty() && !is_end && !is_first) return !is_broken_;
  begun_[place] = true;
  send_event(form_.piece_of(place, piece, is_first));
  if (is_broken_ || !is_end || --open_ > 0) return !is_broken_;
  if (const OrderedJson last = form_.last(tokens_); !last.is_null()) send_event(last);
  send("data: [DONE]\n\n");
  end();
  return true;
}

void StreamedAnswers::fail(const std::exception_ptr& failure) {
  const std::lock_guard lock(mutex_);
  if (has_ended_) return;
  send_event(form_.failure_of(failure));
  end();  // one failure is told, and nothing behind it
}

}  // namespace tune::trainer::serve
