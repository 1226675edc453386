// Requests that wait for a model: batches, bounds, and one bad example among good ones.
#include "trainer/serve/answer_queue.h"

#include <atomic>
#include <future>
#include <mutex>

#include "protocols/protocol_facts.h"
#include "support/catch.h"
#include "tuner/core/error.h"

using namespace tune::trainer;
using namespace std::chrono_literals;
using serve::AnswerQueue;
using serve::EndpointMetrics;
using tune::tests::refusal_of;

namespace {

struct Number final : served::Prepared {
  double value = 0;
};

// Answers the number that a text is; "bad" cannot be read, "slow" is read for a while, and a model fails
// on 13. Waits in its first batch until it is let go.
class Echo final : public served::Answerer {
 public:
  const served::Facts& facts() const override { return facts_; }
  std::unique_ptr<const served::Prepared> prepare(const served::Input& input) const override {
    const std::string& text = std::get<served::Text>(input).first;
    if (text == "bad") throw tune::Error(tune::ExitCode::kBadData, "a bad text");
    auto number = std::make_unique<Number>();
    if (text == "slow") {
      std::this_thread::sleep_for(30ms);
      return number;
    }
    number->value = std::stod(text);
    return number;
  }
  std::vector<served::Answer> answer(const std::vector<const served::Prepared*>& examples,
                                     int threads) const override {
    if (holds_.exchange(false)) {
      held_.set_value();
      let_go_.get_future().wait();
    }
    {
      const std::lock_guard lock(mutex_);
      batches.push_back(examples.size());
      most_threads = std::max(most_threads, threads);
    }
    std::vector<served::Answer> answers;
    for (const served::Prepared* example : examples) {
      const double value = dynamic_cast<const Number&>(*example).value;
      if (value == 13) throw std::runtime_error("unlucky");
      answers.emplace_back(served::Probabilities{{value}, {0}});
    }
    return answers;
  }
  std::unique_ptr<const served::Prepared> smoke_example() const override {
    return std::make_unique<Number>();
  }

  void hold() { holds_ = true; }
  void wait_until_held() { held_.get_future().wait(); }
  void let_go() { let_go_.set_value(); }
  mutable std::vector<std::size_t> batches;
  mutable int most_threads = 0;

 private:
  served::Facts facts_ = tune::tests::text_facts();
  mutable std::mutex mutex_;
  mutable std::atomic<bool> holds_{false};
  mutable std::promise<void> held_, let_go_;
};

struct Place {
  explicit Place(AnswerQueue::Settings settings = {}) : queue(model, settings, metrics) {}
  double ask(const std::string& text) {
    return std::get<served::Probabilities>(
               queue.ask({served::Text{text}}, std::chrono::steady_clock::now() + 60s).at(0))
        .of_classes.at(0);
  }
  std::future<double> ask_later(const std::string& text) {
    return std::async(std::launch::async, [this, text] { return ask(text); });
  }
  void wait_for(std::size_t waiting) {
    while (queue.waiting() < waiting) std::this_thread::sleep_for(1ms);
  }
  std::shared_ptr<Echo> model = std::make_shared<Echo>();
  EndpointMetrics metrics{"m"};
  AnswerQueue queue;
};

}  // namespace

TEST_CASE("What waits while the model computes is answered together, each with its own answer") {
  Place place({.most_waiting = 16, .largest_batch = 4, .batch_wait = 0ms});
  place.model->hold();
  std::vector<std::future<double>> answers;
  answers.push_back(place.ask_later("0"));
  place.model->wait_until_held();
  for (int i = 1; i <= 6; ++i) answers.push_back(place.ask_later(std::to_string(i)));
  place.wait_for(7);
  std::this_thread::sleep_for(20ms);  // the last of them may still be on its way into the queue
  place.model->let_go();
  for (int i = 0; i <= 6; ++i) CHECK(answers[static_cast<std::size_t>(i)].get() == i);
  CHECK(place.model->batches.size() < 7);
  for (const std::size_t batch : place.model->batches) CHECK(batch <= 4);
}

TEST_CASE(
    "With several threads batches are computed beside each other, and one that is alone has all threads") {
  Place place({.most_waiting = 64, .largest_batch = 4, .batch_wait = 0ms, .threads = 3});
  CHECK(place.ask("1") == 1);
  CHECK(place.model->most_threads == 3);
  place.model->hold();
  auto held = place.ask_later("0");
  place.model->wait_until_held();
  place.model->most_threads = 0;
  for (int i = 1; i <= 12; ++i) CHECK(place.ask(std::to_string(i)) == i);  // by the other workers
  CHECK(place.model->most_threads == 1);
  place.model->let_go();
  CHECK(held.get() == 0);
}

TEST_CASE("A request may hold several examples, which keep their order") {
  Place place;
  const auto answers = place.queue.ask({served::Text{"3"}, served::Text{"1"}, served::Text{"2"}},
                                       std::chrono::steady_clock::now() + 60s);
  CHECK(std::get<served::Probabilities>(answers.at(0)).of_classes.at(0) == 3);
  CHECK(std::get<served::Probabilities>(answers.at(2)).of_classes.at(0) == 2);
}

TEST_CASE("A full queue refuses at once, and says when to come back") {
  Place place({.most_waiting = 2});
  place.model->hold();
  auto first = place.ask_later("1");
  place.model->wait_until_held();
  auto second = place.ask_later("2");
  place.wait_for(2);
  try {
    place.ask("3");
    FAIL("it was taken");
  } catch (const serve::Refusal& refusal) {
    CHECK(refusal.status() == 503);
    CHECK(refusal.retry_after_s() == 1);
  }
  place.model->let_go();
  CHECK(first.get() == 1);
  CHECK(second.get() == 2);
  CHECK(place.ask("3") == 3);
}

TEST_CASE("An answer that takes too long is refused, and the next one comes") {
  Place place;
  place.model->hold();
  std::thread helper([&] {
    place.model->wait_until_held();
    std::this_thread::sleep_for(50ms);
    place.model->let_go();
  });
  const std::string refusal =
      refusal_of([&] { place.queue.ask({served::Text{"1"}}, std::chrono::steady_clock::now() + 10ms); });
  CHECK(refusal.starts_with("503"));
  helper.join();
  CHECK(place.ask("2") == 2);
}

TEST_CASE("A request whose examples cannot all be read in time is refused before the rest is read") {
  Place place;
  const std::vector<served::Input> many(100, served::Text{"slow"});
  const auto begin = std::chrono::steady_clock::now();
  CHECK(refusal_of([&] { place.queue.ask(many, begin + 100ms); }).starts_with("503"));
  CHECK(std::chrono::steady_clock::now() - begin < 2s);
  CHECK(place.queue.waiting() == 0);
}

TEST_CASE("A large request that is refused takes nobody's place") {
  Place place({.most_waiting = 4});
  place.model->hold();
  auto first = place.ask_later("1");
  place.model->wait_until_held();
  const std::vector<served::Input> many(100, served::Text{"2"});
  CHECK(
      refusal_of([&] { place.queue.ask(many, std::chrono::steady_clock::now() + 60s); }).starts_with("503"));
  CHECK(place.queue.waiting() == 1);
  auto second = place.ask_later("2");
  place.wait_for(2);
  place.model->let_go();
  CHECK(first.get() == 1);
  CHECK(second.get() == 2);
  CHECK(place.queue.ask(many, std::chrono::steady_clock::now() + 60s).size() == 100);
}

TEST_CASE("A queue that is given up finishes what it computes and refuses the rest") {
  Place place;
  place.model->hold();
  auto first = place.ask_later("1");
  place.model->wait_until_held();
  auto second = place.ask_later("2");
  place.wait_for(2);
  std::this_thread::sleep_for(20ms);  // it may still be on its way into the queue
  place.queue.give_up();
  CHECK(refusal_of([&] { second.get(); }).starts_with("503"));
  CHECK(refusal_of([&] { place.ask("3"); }).starts_with("503"));
  place.model->let_go();
  CHECK(first.get() == 1);
}

TEST_CASE("An example that cannot be read, or that the model fails on, fails alone") {
  Place place({.most_waiting = 16, .largest_batch = 8, .batch_wait = 0ms});
  CHECK_THROWS_WITH(place.ask("bad"), "a bad text");
  place.model->hold();
  auto first = place.ask_later("0");
  place.model->wait_until_held();
  auto good = place.ask_later("1"), unlucky = place.ask_later("13"), better = place.ask_later("2");
  place.wait_for(4);
  std::this_thread::sleep_for(20ms);
  place.model->let_go();
  CHECK(first.get() == 0);
  CHECK(good.get() == 1);
  CHECK_THROWS_WITH(unlucky.get(), "unlucky");
  CHECK(better.get() == 2);
}

TEST_CASE("A queue that ends has answered everybody before") {
  std::vector<std::future<double>> answers;
  {
    Place place;
    place.model->hold();
    answers.push_back(place.ask_later("0"));
    place.model->wait_until_held();
    answers.push_back(place.ask_later("1"));
    place.wait_for(2);
    std::this_thread::sleep_for(20ms);
    place.model->let_go();
    for (std::size_t i = 0; i < answers.size(); ++i) CHECK(answers[i].get() == static_cast<double>(i));
  }
}
