// Answers that are written together: pieces to whoever listens, clients that go, bounds and failures.
#include "trainer/serve/generation_queue.h"

#include <atomic>
#include <future>
#include <mutex>

#include "protocols/protocol_facts.h"
#include "support/catch.h"
#include "trainer/serve/written_answers.h"

using namespace tune::trainer;
using namespace std::chrono_literals;
using serve::GenerationQueue;
using serve::WholeAnswers;
using tune::tests::refusal_of;

namespace {

// Writes an x at each step, as many as max_new_tokens, to all answers; fails on a prompt of 13, and does not
// even begin one of 14. Having failed, it stands only being rid of all answers at once.
class Exes final : public served::Generator {
 public:
  const served::Facts& facts() const override { return facts_; }
  std::vector<std::int64_t> tokens_of(const served::Prompt& prompt) const override {
    return std::get<std::vector<std::int64_t>>(prompt);
  }
  void begin(std::uint64_t id, const served::GenerationRequest& request) override {
    if (request.prompt.front() == 14) throw std::runtime_error("no room");
    left_[id] = request.settings.max_new_tokens;
    fails_ = fails_ || request.prompt.front() == 13;
  }
  std::vector<served::Written> step() override {
    if (fails_) throw std::runtime_error("unlucky");
    if (pause > 0ms) std::this_thread::sleep_for(pause);
    most = std::max(most.load(), left_.size());
    std::vector<served::Written> written;
    for (auto& [id, left] : left_)
      written.push_back({id, "x", 1, {}, --left == 0 ? served::End::kLength : served::End::kNone});
    std::erase_if(left_, [](const auto& one) { return one.second == 0; });
    return written;
  }
  void drop(const std::vector<std::uint64_t>& ids) override {
    for (const std::uint64_t id : ids) dropped += left_.erase(id);
    if (fails_ && !left_.empty()) throw std::runtime_error("what is left cannot be moved");
    fails_ = false;
  }
  std::size_t under_way() const override { return left_.size(); }

  std::chrono::milliseconds pause{0};
  std::atomic<std::size_t> most = 0, dropped = 0;

 private:
  served::Facts facts_ = tune::tests::prompt_facts();
  std::map<std::uint64_t, std::int64_t> left_;
  bool fails_ = false;
};

served::GenerationRequest asked(std::int64_t tokens, std::int64_t prompt = 1) {
  served::GenerationRequest request{{prompt}};
  request.settings.max_new_tokens = tokens;
  return request;
}

struct Place {
  explicit Place(std::size_t most = 8) : queue(model, most, metrics) {}
  std::vector<serve::Choice> ask(const std::vector<served::GenerationRequest>& requests,
                                 std::chrono::milliseconds patience = 60s) {
    const auto answers =
        std::make_shared<WholeAnswers>(requests.size(), [this] { return is_client_gone.load(); });
    std::vector<GenerationQueue::Order> orders;
    for (const auto& request : requests)
      orders.push_back({request, WholeAnswers::listener(answers, orders.size())});
    queue.start(std::move(orders), std::chrono::steady_clock::now() + patience);
    std::int64_t tokens = 0;
    return answers->wait(tokens);
  }
  std::shared_ptr<Exes> model = std::make_shared<Exes>();
  serve::EndpointMetrics metrics{"m"};
  std::atomic<bool> is_client_gone{false};
  GenerationQueue queue;
};

// A stream whose client goes after so many sends.
class FakeStream final : public tune::http::ResponseStream {
 public:
  explicit FakeStream(std::size_t sends) : left_(sends) {}
  bool send(std::string bytes) override {
    const std::lock_guard lock(mutex_);
    if (left_ == 0) return false;
    --left_;
    text_ += bytes;
    return true;
  }
  bool send_waiting(std::string bytes, tune::Milliseconds) override { return send(std::move(bytes)); }
  bool is_open() const override {
    const std::lock_guard lock(mutex_);
    return left_ > 0;
  }
  std::size_t waiting_bytes() const override { return 0; }
  void abort() override { is_aborted = true; }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  static void wait_until_let_go(const std::shared_ptr<FakeStream>& stream) {
    while (stream.use_count() > 1) std::this_thread::sleep_for(1ms);
  }
  std::atomic<bool> is_aborted = false;

 private:
  mutable std::mutex mutex_;
  std::string text_;
  std::size_t left_;
};

serve::StreamedAnswers::Form form() {
  return {[](std::size_t place, const served::Written& piece, bool) {
            return tune::OrderedJson{{"place", place}, {"text", piece.text}};
          },
          [](std::int64_t tokens) {
            return tune::OrderedJson{{"tokens", tokens}};
          },
          [](const std::exception_ptr&) {
            return tune::OrderedJson{{"error", "it failed"}};
          }};
}

}  // namespace

TEST_CASE("Each prompt of a request gets its own answer, and all are written together") {
  Place place;
  const auto choices = place.ask({asked(3), asked(1), asked(5)});
  CHECK(choices.at(0).text == "xxx");
  CHECK(choices.at(1).text == "x");
  CHECK(choices.at(2).text == "xxxxx");
  CHECK(choices.at(2).end == served::End::kLength);
  CHECK(place.model->most == 3);
  CHECK(place.queue.open() == 0);
}

TEST_CASE("More answers than there are places are refused, and written answers make room") {
  Place place(2);
  place.model->pause = 5ms;
  auto first = std::async(std::launch::async, [&] { return place.ask({asked(20), asked(20)}); });
  while (place.queue.open() < 2) std::this_thread::sleep_for(1ms);
  CHECK(refusal_of([&] { place.ask({asked(1)}); }).starts_with("503"));
  CHECK(first.get().at(1).text.size() == 20);
  CHECK(place.ask({asked(1)}).at(0).text == "x");
}

TEST_CASE("An answer that is late is given up, and others are not") {
  Place place;
  place.model->pause = 5ms;
  auto other = std::async(std::launch::async, [&] { return place.ask({asked(30)}); });
  CHECK(refusal_of([&] { place.ask({asked(1'000'000)}, 30ms); }).starts_with("503"));
  CHECK(other.get().at(0).text.size() == 30);
}

TEST_CASE("A queue that is given up ends what is under way") {
  Place place;
  place.model->pause = 1ms;
  auto answer = std::async(std::launch::async, [&] { return place.ask({asked(1'000'000)}); });
  while (place.queue.open() == 0) std::this_thread::sleep_for(1ms);
  place.queue.give_up();
  CHECK(refusal_of([&] { answer.get(); }).starts_with("503"));
}

TEST_CASE("What the model fails on reaches all who wait, and the next request is answered") {
  Place place;
  CHECK_THROWS_WITH(place.ask({asked(3, 13)}), "unlucky");
  CHECK_THROWS_WITH(place.ask({asked(3), asked(3, 13), asked(3)}), "unlucky");
  CHECK(place.ask({asked(2)}).at(0).text == "xx");
  CHECK(place.queue.open() == 0);
}

TEST_CASE("A prompt that the model does not begin fails alone, and those behind it are answered") {
  Place place;
  place.model->pause = 5ms;
  auto other = std::async(std::launch::async, [&] { return place.ask({asked(30)}); });
  while (place.queue.open() == 0) std::this_thread::sleep_for(1ms);
  CHECK_THROWS_WITH(place.ask({asked(3, 14)}), "no room");
  CHECK(other.get().at(0).text.size() == 30);
  CHECK(place.queue.open() == 0);
}

TEST_CASE("A listener that fails is told so, and others go on") {
  Place place;
  place.model->pause = 5ms;
  auto other = std::async(std::launch::async, [&] { return place.ask({asked(30)}); });
  std::promise<std::string> told;
  std::vector<GenerationQueue::Order> orders;
  orders.push_back({asked(20),
                    {[](const served::Written&) -> bool { throw std::runtime_error("no memory"); },
                     [&](const std::exception_ptr& failure) {
                       try {
                         std::rethrow_exception(failure);
                       } catch (const std::runtime_error& error) {
                         told.set_value(error.what());
                       }
                     },
                     [] { return true; }}});
  place.queue.start(std::move(orders), std::chrono::steady_clock::now() + 60s);
  CHECK(told.get_future().get() == "no memory");
  CHECK(other.get().at(0).text.size() == 30);
}

TEST_CASE("What comes with a prompt that has failed is written no further") {
  Place place;
  place.model->pause = 1ms;
  CHECK_THROWS_WITH(place.ask({asked(1'000'000), asked(3, 14)}), "no room");
  while (place.queue.open() > 0) std::this_thread::sleep_for(1ms);
  CHECK(place.model->dropped == 1);
}

TEST_CASE("A stream gets each piece as an event, the usage and the end, also where it comes late") {
  Place place;
  const auto stream = std::make_shared<FakeStream>(100);
  {
    const auto answers = std::make_shared<serve::StreamedAnswers>(1, form());
    std::vector<GenerationQueue::Order> orders;
    orders.push_back({asked(2), serve::StreamedAnswers::listener(answers, 0)});
    place.queue.start(std::move(orders), std::chrono::steady_clock::now() + 60s);
    while (place.queue.open() > 0) std::this_thread::sleep_for(1ms);
    answers->attach(stream);
  }
  FakeStream::wait_until_let_go(stream);
  CHECK(stream->text() ==
        "data: {\"place\":0,\"text\":\"x\"}\n\ndata: {\"place\":0,\"text\":\"x\"}\n\ndata: "
        "{\"tokens\":2}\n\ndata: "
        "[DONE]\n\n");
  CHECK_FALSE(stream->is_aborted);
}

TEST_CASE("An answer whose client has gone is written no further") {
  Place place;
  place.model->pause = 1ms;
  const auto stream = std::make_shared<FakeStream>(3);
  const auto answers = std::make_shared<serve::StreamedAnswers>(1, form());
  answers->attach(stream);
  std::vector<GenerationQueue::Order> orders;
  orders.push_back({asked(1'000'000), serve::StreamedAnswers::listener(answers, 0)});
  place.queue.start(std::move(orders), std::chrono::steady_clock::now() + 60s);
  while (place.queue.open() > 0) std::this_thread::sleep_for(1ms);
  CHECK(place.model->dropped == 1);
}

TEST_CASE("A client that has gone ends its whole answers too") {
  Place place;
  place.model->pause = 1ms;
  auto answers = std::async(std::launch::async, [&] {
    return place.ask({asked(1'000'000), asked(1'000'000)});
  });
  while (place.queue.open() < 2) std::this_thread::sleep_for(1ms);
  place.is_client_gone = true;
  CHECK(refusal_of([&] { answers.get(); }).starts_with("499"));
  while (place.queue.open() > 0) std::this_thread::sleep_for(1ms);
  CHECK(place.model->dropped == 2);
}

TEST_CASE("Where the client has gone before its answer begins, nothing is written") {
  Place place;
  const auto stream = std::make_shared<FakeStream>(0);
  const auto answers = std::make_shared<serve::StreamedAnswers>(1, form());
  answers->attach(stream);
  std::vector<GenerationQueue::Order> orders;
  orders.push_back({asked(3), serve::StreamedAnswers::listener(answers, 0)});
  place.queue.start(std::move(orders), std::chrono::steady_clock::now() + 60s);
  while (place.queue.open() > 0) std::this_thread::sleep_for(1ms);
  CHECK(place.model->dropped == 1);
  CHECK(place.model->most == 0);
}

TEST_CASE("A failure in the middle of a stream is told, and ends it") {
  Place place;
  const auto stream = std::make_shared<FakeStream>(10);
  const auto answers = std::make_shared<serve::StreamedAnswers>(2, form());
  answers->attach(stream);
  std::vector<GenerationQueue::Order> orders;
  for (std::size_t i = 0; i < 2; ++i)
    orders.push_back({asked(3, 13), serve::StreamedAnswers::listener(answers, i)});
  place.queue.start(std::move(orders), std::chrono::steady_clock::now() + 60s);
  FakeStream::wait_until_let_go(stream);
  CHECK(stream->text() == "data: {\"error\":\"it failed\"}\n\n");
}

TEST_CASE("Counts and histograms read as Prometheus has them") {
  serve::EndpointMetrics metrics("a\"b");
  metrics.loaded("3");
  CHECK_FALSE(metrics.totals().last_request);
  metrics.arrived();
  metrics.answered("/invocations", 200, 20ms, true);
  metrics.answered("/invocations", 503, 20s, true);
  metrics.answered("/ping", 200, 1ms, false);
  metrics.computed_batch(3);
  metrics.wrote_tokens(7);
  const std::string text = metrics.prometheus_text(2);
  for (const char* line : {"tune_model_info{model=\"a\\\"b\",version=\"3\"} 1\n",
                           "tune_requests_total{route=\"/invocations\",status=\"503\"} 1\n",
                           "tune_request_seconds_bucket{route=\"/invocations\",le=\"0.025\"} 1\n",
                           "tune_request_seconds_bucket{route=\"/invocations\",le=\"+Inf\"} 2\n",
                           "tune_batch_examples_bucket{le=\"4\"} 1\n",
                           "tune_tokens_total{kind=\"answer\"} 7\n", "tune_running 2\n"}) {
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(metrics.totals().requests == 2);
  CHECK(metrics.totals().failed == 1);
  CHECK(metrics.totals().last_request);
}
