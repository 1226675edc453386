// What open pages hear.
#include "tuner/serve/event_hub.h"

#include <atomic>
#include <thread>

#include "support/catch.h"
#include "support/processes.h"
#include "unit/http/raw_client.h"
#include "unit/serve/serve_fixture.h"

namespace tune::serve {
namespace {

// One page that listens.
class Listener {
 public:
  explicit Listener(const Served& served, int port, const std::string& query = "?study=steel",
                    const std::string& lines = "")
      : client_(port) {
    client_.send("GET /api/events" + query + " HTTP/1.1\r\nHost: " + served.host() +
                 "\r\nAuthorization: Bearer " + served.token() + "\r\n" + lines + "\r\n");
  }
  std::string read_until(const std::string& text) { return client_.read_until(text); }
  // The data of the next message that holds the text.
  Json next(const std::string& text) {
    const std::string got = client_.read_until(text + "\n\n");
    const std::size_t begin = got.rfind("data: ", got.rfind(text)) + 6;
    return Json::parse(got.substr(begin, got.find('\n', begin) - begin));
  }

 private:
  http::RawClient client_;
};

TEST_CASE("a page hears of a change, and after a break of what it missed") {
  ServedStore store(3);
  Served served(store.path());
  const int port = served.dashboard().address().port;
  Listener page(served, port);
  const std::string head = page.read_until("\n\n\r\n");
  CHECK(head.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(head.find("retry: 2000\n") != std::string::npos);
  CHECK(head.find("id: 4\nevent: change\n") != std::string::npos);
  add_trial(store.writer(), 4);
  const std::string told = page.read_until("\"is_live\":false}\n\n");
  CHECK(told.find("id: 5\nevent: change\ndata: {") != std::string::npos);
  CHECK(told.find("\"trials\":[4]") != std::string::npos);
  CHECK(told.find("\"kinds\":[\"trial_finished\"]") != std::string::npos);
  add_trial(store.writer(), 5);
  Listener again(served, port, "?study=steel", "Last-Event-ID: 4\r\n");
  const std::string missed = again.read_until("\"is_live\":false}\n\n");
  CHECK(missed.find("id: 6\n") != std::string::npos);
  CHECK(missed.find("\"trials\":[4,5]") != std::string::npos);
  CHECK(served.get("/api/events?study=none").status == 404);
}

TEST_CASE("a page of the whole store hears which study changed") {
  ServedStore store(3);
  Served served(store.path());
  Listener page(served, served.dashboard().address().port, "");
  page.read_until("retry: 2000");
  std::this_thread::sleep_for(Milliseconds(1500));  // until it has looked once
  add_trial(store.writer(), 4);
  CHECK(page.read_until("overview").find("event: change") != std::string::npos);
}

TEST_CASE("fifty pages listen to a study that is written to, and none costs a commit") {
  ServedStore store(1);
  Served served(store.path());
  const int port = served.dashboard().address().port;
  std::vector<std::unique_ptr<Listener>> pages;
  for (int i = 0; i < 50; ++i) pages.push_back(std::make_unique<Listener>(served, port));
  for (auto& page : pages) page->read_until("retry: 2000");
  std::atomic<bool> is_over = false;
  std::thread readers([&] {
    while (!is_over) served.get("/api/studies/steel/trials?sort=value");
  });
  // Each is a transaction that must not fail.
  for (int number = 2; number <= 60; ++number) add_trial(store.writer(), number);
  add_trial(store.writer(), 61);
  for (auto& page : pages) page->read_until("61]");
  is_over = true;
  readers.join();
  CHECK(served.json("/api/studies/steel").at("counts").at("completed") == 55);
  pages.clear();
}

}  // namespace
}  // namespace tune::serve
